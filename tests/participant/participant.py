#!/usr/bin/env python3
"""A participant of Notifyx's two-phase commit that is not TypeScript: Python's standard library, and SQLite as its store.

It keeps a ledger of all notifications that were sent, takes part in `sendNotification` through discovery alone, and is the example of
docs/participant.md, whose names it uses in the same order: register, prepare, commit, rollback, inquire.

    NOTIFYX_CLUSTER_SECRET=... participant.py --port 5000 --store ledger.db --discovery http://127.0.0.1:4100
"""

import argparse
import contextlib
import hmac
import json
import os
import re
import signal
import sqlite3
import threading
import time
import urllib.request
import uuid
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE = "ledger"
OPERATION = "sendNotification"

# In seconds. Discovery drops an instance that it has not heard of for 10 s.
HEARTBEAT_EVERY = 3
HEARTBEAT_RETRY = 0.5
INQUIRE_EVERY = 1
CALL_LIMIT = 3
# Longer than a gateway keeps an idle connection: one that ended here while a prepare was on its way would cost that vote.
IDLE_LIMIT = 120
DEFAULT_DEADLINE_MS = 10_000
BODY_LIMIT_BYTES = 1024 * 1024

TRANSACTION_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Fault(Exception):
    """What a caller is told instead of what it asked for: a status, one of the contract's codes, and one line."""

    def __init__(self, status, code, message, **more):
        super().__init__(message)
        self.status = status
        self.body = {**more, "error": message, "code": code}


class Store:
    """The ledger and the outcomes of its transactions, in one file. A transaction is unknown, prepared, committed or aborted.

    The outcome row is the barrier: it is written together with the work, and whoever comes later finds it there. What is prepared is
    on the disk before the vote is given, and part of the ledger only once it is committed.
    """

    SCHEMA = """
        create table if not exists outcomes (
          transaction_id text primary key,
          state text not null check (state in ('prepared', 'committed', 'aborted')),
          inquire_at real
        );
        create index if not exists outcomes_prepared on outcomes (inquire_at) where state = 'prepared';
        create table if not exists entries (
          transaction_id text primary key references outcomes,
          from_user_id text not null,
          message text not null
        );
        create view if not exists ledger as
          select transaction_id, from_user_id, message from entries natural join outcomes where state = 'committed';
    """

    def __init__(self, path):
        # One connection under one lock: SQLite writes one transaction at a time anyway.
        self._lock = threading.Lock()
        self._sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._sql.execute("pragma journal_mode = wal")
        # Each commit is flushed to the disk before it returns: a vote of yes has to outlive a crash.
        self._sql.execute("pragma synchronous = full")
        self._sql.executescript(self.SCHEMA)

    def prepare(self, transaction_id, from_user_id, message, inquire_at):
        """Keeps the work, unless it is there already. Refuses it for good once it was rolled back."""
        with self._transaction() as sql:
            state = self._state(sql, transaction_id)
            if state == "aborted":
                raise Fault(409, "TRANSACTION_ABORTED", "this transaction was rolled back", vote="no")
            if state == "unknown":
                sql.execute("insert into outcomes values (?, 'prepared', ?)", (transaction_id, inquire_at))
                sql.execute("insert into entries values (?, ?, ?)", (transaction_id, from_user_id, message))

    def commit(self, transaction_id):
        with self._transaction() as sql:
            state = self._state(sql, transaction_id)
            if state == "aborted":
                raise Fault(409, "CONFLICT", "this transaction was rolled back")
            if state == "unknown":
                raise Fault(409, "CONFLICT", "this transaction was never prepared")
            sql.execute("update outcomes set state = 'committed' where transaction_id = ?", (transaction_id,))

    def rollback(self, transaction_id):
        """Also of what was never prepared: the row stays, so that a prepare that comes later is refused."""
        with self._transaction() as sql:
            if self._state(sql, transaction_id) == "committed":
                raise Fault(409, "CONFLICT", "this transaction is committed")
            sql.execute("delete from entries where transaction_id = ?", (transaction_id,))
            sql.execute("insert or replace into outcomes values (?, 'aborted', null)", (transaction_id,))

    def state(self, transaction_id):
        with self._transaction() as sql:
            return self._state(sql, transaction_id)

    def late(self):
        """The ids of what is prepared and past its deadline, oldest first."""
        with self._transaction() as sql:
            rows = sql.execute(
                "select transaction_id from outcomes where state = 'prepared' and inquire_at < ? order by inquire_at limit 100",
                (time.time(),),
            )
            return [transaction_id for (transaction_id,) in rows]

    def ledger(self):
        with self._transaction() as sql:
            rows = sql.execute("select transaction_id, message from ledger order by transaction_id").fetchall()
            (prepared,) = sql.execute("select count(*) from outcomes where state = 'prepared'").fetchone()
        return {"entries": [{"id": id, "message": message} for id, message in rows], "prepared": prepared}

    @staticmethod
    def _state(sql, transaction_id):
        row = sql.execute("select state from outcomes where transaction_id = ?", (transaction_id,)).fetchone()
        return "unknown" if row is None else row[0]

    @contextlib.contextmanager
    def _transaction(self):
        with self._lock:
            self._sql.execute("begin immediate")
            try:
                yield self._sql
                self._sql.execute("commit")
            finally:
                if self._sql.in_transaction:
                    self._sql.execute("rollback")


class Cluster:
    """Discovery and the gateways, asked with the cluster's secret."""

    def __init__(self, discovery, secret, url):
        self._discovery = discovery
        self._secret = secret
        self._id = f"{SERVICE}-{uuid.uuid4()}"
        self._announcement = {"service": SERVICE, "url": url, "participates": [OPERATION]}
        # Members of the cluster are asked directly, whatever http_proxy says.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def register(self):
        """The same call is the heartbeat."""
        self._ask("PUT", f"{self._discovery}/api/instances/{self._id}", self._announcement)

    def leave(self):
        self._ask("DELETE", f"{self._discovery}/api/instances/{self._id}")

    def inquire(self, transaction_id):
        """What was decided: `committed`, `aborted` or `pending`. Any gateway answers for all."""
        error = ConnectionError("discovery names no gateway")
        for gateway in self._ask("GET", f"{self._discovery}/api/services/gateway")["instances"]:
            try:
                return self._ask("POST", f"{gateway['url']}/api/transactions/{transaction_id}/inquire", {})["state"]
            except (OSError, HTTPException) as failed:
                error = failed
        raise error

    def _ask(self, method, url, body=None):
        headers = {"authorization": f"Bearer {self._secret}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        with self._opener.open(request, timeout=CALL_LIMIT) as response:
            return json.loads(response.read() or b"null")


class Handler(BaseHTTPRequestHandler):
    """The routes. Each may be called any number of times, in any order, also at once: the store sees to that."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_LIMIT
    # Head and body leave together, at once: apart they would wait for the other side's delayed acknowledgement, 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    store: Store
    secret: str
    refused_word = None

    def prepare(self, body):
        transaction_id = id_from(body.get("transactionId"))
        if body.get("operation") != OPERATION:
            raise Fault(400, "BAD_USER_INPUT", "this service takes no part in that operation")
        deadline_ms = body.get("deadlineMs", DEFAULT_DEADLINE_MS)
        if not isinstance(deadline_ms, int):
            raise Fault(400, "BAD_USER_INPUT", "deadlineMs is no number")
        work = body.get("input")
        if not isinstance(work, dict) or not all(isinstance(work.get(key), str) for key in ("fromUserId", "message")):
            raise Fault(409, "BAD_USER_INPUT", "input needs fromUserId and message", vote="no")
        if self.refused_word is not None and self.refused_word in work["message"]:
            raise Fault(409, "FORBIDDEN", f"the ledger takes no message with {self.refused_word}", vote="no")
        self.store.prepare(transaction_id, work["fromUserId"], work["message"], time.time() + deadline_ms / 1000)
        return {"vote": "yes"}

    def commit(self, body):
        self.store.commit(id_from(body.get("transactionId")))
        return {"state": "committed"}

    def rollback(self, body):
        self.store.rollback(id_from(body.get("transactionId")))
        return {"state": "aborted"}

    def state(self, transaction_id):
        return {"state": self.store.state(id_from(transaction_id))}

    def do_POST(self):
        self._serve({"/api/prepare_2pc": self.prepare, "/api/commit_2pc": self.commit})

    def do_DELETE(self):
        self._serve({"/api/rollback_2pc": self.rollback})

    def do_GET(self):
        head, _, transaction_id = self.path.rpartition("/")
        if head == "/api/transactions_2pc":
            self._serve({self.path: lambda _: self.state(transaction_id)})
        else:
            self._serve({"/ledger": lambda _: self.store.ledger()})

    def _serve(self, routes):
        try:
            body = self._read()
            if not hmac.compare_digest(self.headers.get("authorization", "").encode(), f"Bearer {self.secret}".encode()):
                raise Fault(401, "UNAUTHENTICATED", "this route takes the cluster's secret")
            if self.path not in routes:
                raise Fault(404, "NOT_FOUND", "no such route")
            self._answer(200, routes[self.path](body))
        except Fault as fault:
            self._answer(fault.status, fault.body)
        except sqlite3.Error as error:
            # Neither a vote nor an outcome: the coordinator aborts, or asks again.
            self.log_error("the store failed: %s", error)
            self._answer(503, {"error": "the store is away just now", "code": "SERVICE_UNAVAILABLE"})

    def _read(self):
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_LIMIT_BYTES:
            self.close_connection = True
            raise Fault(413, "BAD_USER_INPUT", "the body is too large")
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Fault(400, "BAD_USER_INPUT", "the body is no JSON object")
        return body

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    # The process does not wait for connections that are open: what is not answered was done whole or not at all.
    daemon_threads = True


def id_from(text):
    if isinstance(text, str) and TRANSACTION_ID.fullmatch(text):
        return text
    raise Fault(400, "BAD_USER_INPUT", "a transactionId is 1 to 64 letters, digits and -")


def keep_registered(cluster, stopping):
    pause = 0
    while not stopping.wait(pause):
        try:
            cluster.register()
            pause = HEARTBEAT_EVERY
        except (OSError, HTTPException):
            pause = HEARTBEAT_RETRY


def keep_inquiring(cluster, store, stopping):
    """Settles what is prepared and nobody came back for, again and again: also what was prepared before this process began."""
    while not stopping.wait(INQUIRE_EVERY):
        try:
            for transaction_id in store.late():
                state = cluster.inquire(transaction_id)
                if state == "committed":
                    store.commit(transaction_id)
                elif state == "aborted":
                    store.rollback(transaction_id)
                # Else it is `pending`: a gateway is deciding it at this moment.
        except (OSError, HTTPException, ValueError, KeyError, Fault, sqlite3.Error) as error:
            print(f"{SERVICE}: something stays in doubt: {error!r}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True, help="the SQLite file")
    parser.add_argument("--discovery", required=True, help="its URL")
    parser.add_argument("--refuse", metavar="WORD", help="vote no for messages with this word")
    options = parser.parse_args()
    secret = os.environ["NOTIFYX_CLUSTER_SECRET"]

    Handler.store = Store(options.store)
    Handler.secret = secret
    Handler.refused_word = options.refuse
    server = Server(("127.0.0.1", options.port), Handler)
    cluster = Cluster(options.discovery, secret, f"http://127.0.0.1:{server.server_port}")
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    heartbeat = threading.Thread(target=keep_registered, args=(cluster, stopping))
    workers = [heartbeat, threading.Thread(target=keep_inquiring, args=(cluster, Handler.store, stopping), daemon=True)]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for worker in workers:
        worker.start()
    print(f"{SERVICE} ready on port {server.server_port}", flush=True)

    stopping.wait()
    heartbeat.join()
    with contextlib.suppress(OSError):
        cluster.leave()
    server.shutdown()


if __name__ == "__main__":
    main()
