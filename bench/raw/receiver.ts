/**
 * The least a BitTorrent leecher in Node has to do: receive into one buffer, copy once into shared memory,
 * hash and write in a worker. argv: port, bytes, path. Prints 'ready' before it connects and 'finished' when the last byte is written.
 */
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { REGION_COUNT, REGION_SIZE_BYTES, type WorkerJob, type WorkerReply, type WorkerStart } from './protocol.ts'

const [port, total, path] = [Number(process.argv[2]), Number(process.argv[3]), String(process.argv[4])]

const memory = new SharedArrayBuffer(REGION_COUNT * REGION_SIZE_BYTES)
const start: WorkerStart = { memory, path }
const worker = new Worker(new URL('./hashWriteWorker.js', import.meta.url), { workerData: start })
const regions = Array.from({ length: REGION_COUNT }, (_, i) =>
  Buffer.from(memory, i * REGION_SIZE_BYTES, REGION_SIZE_BYTES),
)
const free = Array.from({ length: REGION_COUNT }, (_, i) => i)

let current = free.pop() ?? 0
let filled = 0
let received = 0
let written = 0
let paused = false
/** Bytes that arrived when every region was taken. */
let waiting: Buffer | null = null

worker.on('message', ({ regions: done }: WorkerReply) => {
  for (const region of done) {
    written += lengthAt(written)
    free.push(region)
  }
  if (written === total) {
    console.log(JSON.stringify({ event: 'finished' }))
    return
  }
  if (!paused) return
  paused = false
  if (current < 0) current = free.pop() ?? -1
  const rest = waiting
  waiting = null
  if (rest === null || take(rest)) socket.resume()
  else paused = true
})

const receiveBuffer = Buffer.allocUnsafe(256 * 1024)
let socket: Socket

worker.once('online', () => {
  console.log(JSON.stringify({ event: 'ready' }))
  socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: receiveBuffer,
      callback: (length) => {
        paused = !take(receiveBuffer.subarray(0, length))
        return !paused
      },
    },
  })
})

/** Copies `bytes` into regions; false when none was left, the rest then being kept in `waiting`. */
function take(bytes: Buffer): boolean {
  let at = 0
  while (at < bytes.length) {
    const region = regions[current]
    if (region === undefined) {
      waiting = Buffer.from(bytes.subarray(at))
      return false
    }
    const copied = bytes.copy(region, filled, at)
    at += copied
    filled += copied
    received += copied
    if (filled === REGION_SIZE_BYTES || received === total) {
      const job: WorkerJob = { region: current, length: filled, offset: received - filled }
      worker.postMessage(job)
      current = free.pop() ?? -1
      filled = 0
    }
  }
  return true
}

function lengthAt(offset: number): number {
  return Math.min(REGION_SIZE_BYTES, total - offset)
}

process.stdin.on('end', () => process.exit(0)).resume()
