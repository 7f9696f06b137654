import { createHash } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { REGION_SIZE_BYTES, type WorkerJob, type WorkerReply, type WorkerStart } from './protocol.ts'

const { memory, path }: WorkerStart = workerData
const file = openSync(path, 'w')

parentPort?.on('message', ({ region, length, offset }: WorkerJob) => {
  const bytes = Buffer.from(memory, region * REGION_SIZE_BYTES, length)
  createHash('sha1').update(bytes).digest()
  writeSync(file, bytes, 0, length, offset)
  const reply: WorkerReply = { regions: [region] }
  parentPort?.postMessage(reply)
})
