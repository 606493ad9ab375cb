/** A thread for tests of the pool that can't start. */

throw new Error("broken");
