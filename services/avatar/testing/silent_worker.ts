/** A thread for tests of the pool that never says that it has started. */

setInterval(() => {}, 1_000);
