// A real TimescaleDB for tests: PGlite (PostgreSQL compiled to WASM, with the extension) behind PostgreSQL's protocol.
//
//   node timescale.mjs FOLDER_OF_THE_PACKAGE PORT
//
// There is one backend session. It belongs to one connection for a batch (up to Sync, Flush or a simple query), and for
// the whole of a transaction; the others wait. Settings and advisory locks are therefore shared by all connections.

import net from "node:net";
import { pathToFileURL } from "node:url";

const [folder, port] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${folder}/dist/${file}`).href);
const { PGlite } = await load("index.js");
const { timescaledb } = await load("timescaledb/index.js");

const MOST_BYTES = 128 * 1024; // of one call: the backend stops reading a longer one without a word
const [SSL, CANCEL, GSS] = [80877103, 80877102, 80877104];
const IDLE = 0x49;

const database = await PGlite.create({ dataDir: "memory://", extensions: { timescaledb } });
await database.exec("CREATE EXTENSION IF NOT EXISTS timescaledb; SET client_encoding TO 'UTF8'; SET timezone TO 'UTC'");
const { server_version: version } = (await database.query("SHOW server_version")).rows[0];
const connections = new Set();

function message(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function* messages(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32BE(at + 1) + 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const typeOf = (one) => String.fromCharCode(one[0]);

// Whose turn it is at the one backend.
const backend = {
  owner: null,
  waiting: [],
  async take(connection) {
    if (this.owner === connection) return;
    if (this.owner) await new Promise((go) => this.waiting.push({ connection, go }));
    this.owner = connection;
  },
  give() {
    this.owner = null;
    const next = this.waiting.shift();
    if (next) {
      this.owner = next.connection;
      next.go();
    }
  },
};

async function run(batch) {
  const answers = [];
  for (let part = [], size = 0, index = 0; index < batch.length; index++) {
    part.push(batch[index]);
    size += batch[index].length;
    if (index + 1 === batch.length || size + batch[index + 1].length > MOST_BYTES) {
      answers.push(Buffer.from(await database.execProtocolRaw(Buffer.concat(part), { syncToFs: false })));
      [part, size] = [[], 0];
    }
  }
  return Buffer.concat(answers);
}

const COPY_IN = /^\s*COPY\s[\s\S]*\sFROM\s+STDIN/i;

class Connection {
  static count = 0;

  constructor(socket) {
    this.socket = socket;
    this.prefix = `c${++Connection.count}_`;
    this.names = new Set();
    this.started = false;
    this.unread = Buffer.alloc(0);
    this.batch = [];
    this.copy = null; // the statement and the data of a COPY FROM STDIN under way
    this.channels = new Set();
    this.inTransaction = false;
    this.work = Promise.resolve();
    socket.on("data", (bytes) => {
      socket.pause();
      this.work = this.work.then(() => this.take(bytes)).catch((error) => socket.destroy(error)).finally(() => socket.resume());
    });
    socket.on("close", () => {
      this.work = this.work.then(() => this.leave()).catch(() => {});
    });
    socket.on("error", () => {});
  }

  async take(bytes) {
    this.unread = Buffer.concat([this.unread, bytes]);
    while (this.unread.length >= (this.started ? 5 : 8)) {
      const length = this.started ? this.unread.readInt32BE(1) + 1 : this.unread.readInt32BE(0);
      if (this.unread.length < length) return;
      const one = this.unread.subarray(0, length);
      this.unread = this.unread.subarray(length);
      await (this.started ? this.heard(one) : this.start(one));
    }
  }

  start(one) {
    const code = one.readInt32BE(4);
    if (code === SSL || code === GSS) return this.socket.write("N");
    if (code === CANCEL) return this.socket.end();
    this.started = true;
    connections.add(this);
    const told = { server_version: version, server_encoding: "UTF8", client_encoding: "UTF8", TimeZone: "UTC",
      DateStyle: "ISO, MDY", integer_datetimes: "on", standard_conforming_strings: "on" };
    const statuses = Object.entries(told).map(([name, value]) => message("S", name, value));
    this.socket.write(Buffer.concat([message("R", Buffer.alloc(4)), ...statuses, message("K", Buffer.alloc(8)),
      message("Z", Buffer.from("I"))]));
  }

  async heard(one) {
    const type = typeOf(one);
    if (type === "X") return this.socket.end();
    if (this.copy) return this.copied(type, one);
    this.batch.push(this.renamed(type, Buffer.from(one)));
    if (!"QSHF".includes(type)) return;
    const batch = this.batch;
    this.batch = [];
    const statement = batch.map((each) => sqlOf(each)).find((sql) => sql !== null && COPY_IN.test(sql));
    await backend.take(this);
    if (statement !== undefined) return this.beginCopy(statement, batch);
    this.note(batch);
    this.answer(await run(batch));
  }

  beginCopy(statement, batch) {
    this.copy = { statement, data: [], extended: typeOf(batch[0]) !== "Q", failed: null };
    const before = batch.flatMap((each) => ({ P: [message("1")], B: [message("2")], D: [message("n")] })[typeOf(each)] ?? []);
    this.socket.write(Buffer.concat([...before, message("G", Buffer.from([1, 0, 0]))]));
  }

  async copied(type, one) {
    const { copy } = this;
    if (type === "d") return void copy.data.push(Buffer.from(one.subarray(5)));
    if (type === "S" || type === "H") return;
    this.copy = null;
    if (type === "f") {
      this.skipSync = copy.extended;
      const failing = message("Q", "DO $$ BEGIN RAISE EXCEPTION 'COPY from stdin failed' USING ERRCODE = '57014'; END $$");
      return this.answer(await run([failing]));
    }
    await database._handleBlob(new Blob(copy.data));
    let answers;
    try {
      answers = await run([message("Q", copy.statement.replace(/\sFROM\s+STDIN/i, " FROM '/dev/blob'"))]);
    } finally {
      await database._cleanupBlob();
    }
    this.skipSync = copy.extended; // its Sync is answered by the end of the simple query that stood in for it
    this.answer(answers);
  }

  // Prepared statements of one connection get names of their own.
  renamed(type, one) {
    if (type === "S" && this.skipSync) {
      this.skipSync = false;
      return Buffer.alloc(0);
    }
    const at = { P: 5, B: one.indexOf(0, 5) + 1, D: 6, C: 6 }[type];
    if (at === undefined || ("DC".includes(type) && one[5] !== 0x53) || one[at] === 0) return one;
    const name = one.toString("utf8", at, one.indexOf(0, at));
    if (type === "P") this.names.add(name);
    const body = Buffer.concat([one.subarray(5, at), Buffer.from(this.prefix), one.subarray(at)]);
    return message(type, body);
  }

  note(batch) {
    for (const sql of batch.map(sqlOf)) {
      const listens = sql && /^\s*LISTEN\s+"?(\w+)"?/i.exec(sql);
      if (listens) this.channels.add(listens[1]);
      if (sql && /^\s*(DISCARD|RESET)\s+ALL/i.test(sql)) batch.push(message("Q", "SET search_path TO public"));
    }
  }

  answer(bytes) {
    const own = [];
    let status = null;
    for (const one of messages(bytes)) {
      const type = typeOf(one);
      if (type === "A") {
        const channel = one.toString("utf8", 9, one.indexOf(0, 9));
        for (const other of connections) if (other.channels.has(channel)) other.socket.write(one);
      } else own.push(one);
      if (type === "Z") status = one[5];
    }
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(own));
    if (status === null) return;
    this.inTransaction = status !== IDLE;
    if (!this.inTransaction) backend.give();
  }

  async leave() {
    connections.delete(this);
    if (!this.started) return;
    await backend.take(this);
    if (this.inTransaction || this.copy) await run([message("Q", "ROLLBACK")]);
    for (const name of this.names) await run([message("Q", `DEALLOCATE "${this.prefix}${name}"`)]);
    backend.give();
  }
}

function sqlOf(one) {
  if (!one.length || !"QP".includes(typeOf(one))) return null;
  const at = typeOf(one) === "Q" ? 5 : one.indexOf(0, 5) + 1;
  return one.toString("utf8", at, one.indexOf(0, at));
}

net.createServer({ noDelay: true }, (socket) => new Connection(socket)).listen(Number(port), "127.0.0.1", () => {
  console.log("ready");
});
