// BullMQ: `node with_bullmq.mjs work` and `node with_bullmq.mjs enqueue`; what jobs.py does, in JavaScript.

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";

const connection = new IORedis(process.env.BENCH_REDIS, { maxRetriesPerRequest: null });

// On Linux the clock of Python's time.monotonic_ns().
const now = () => Number(process.hrtime.bigint());

function work() {
  const line = connect(process.env.BENCH_REPORTS);
  const job = async ({ data: { enqueued, waitS } }) => {
    const started = now();
    if (waitS) await sleep(1000 * waitS);
    line.write(`${enqueued} ${started} ${now()}\n`);
  };
  new Worker("bench", job, { connection, concurrency: 100 });
}

async function enqueue() {
  const queue = new Queue("bench", { connection });
  const line = connect(process.env.BENCH_ORDERS);
  for await (const order of createInterface({ input: line })) {
    const [count, waitS, shortestS, longestS] = JSON.parse(order);
    for (let number = 0; number < count; number += 1) {
      if (longestS) await sleep(1000 * (shortestS + Math.random() * (longestS - shortestS)));
      await queue.add("job", { enqueued: now(), waitS });
    }
    line.write("done\n");
  }
}

await { work, enqueue }[process.argv[2]]();
