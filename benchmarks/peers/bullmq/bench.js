// BullMQ: `node bench.js fill COUNT` puts them in by addBulk, and tells how many a second;
// `node bench.js work CONCURRENCY` is a worker. Results are kept, as BullMQ does by default.
const { Queue, Worker } = require("bullmq");
const Redis = require("ioredis");

const connection = () => new Redis(process.env.BENCH_SOCKET, { maxRetriesPerRequest: null });
const COUNTED = 10;

async function fill(count) {
  const queue = new Queue("bench", { connection: connection() });
  const began = process.hrtime.bigint();
  for (let first = 0; first < count; first += 1000) {
    const jobs = [];
    for (let n = first; n < Math.min(count, first + 1000); n++) {
      jobs.push({ name: n < count - COUNTED ? "nothing" : "counted", data: {} });
    }
    await queue.addBulk(jobs);
  }
  console.log(count / (Number(process.hrtime.bigint() - began) / 1e9));
  await queue.close();
  process.exit(0);
}

function work(concurrency) {
  const other = connection();
  const worker = new Worker(
    "bench",
    async (job) => {
      if (job.name === "counted") await other.incr("bench:ran");
      return 1;
    },
    { connection: connection(), concurrency },
  );
  worker.on("error", (error) => console.error(error));
}

const [what, number] = process.argv.slice(2);
if (what === "fill") fill(Number(number));
else work(Number(number));
