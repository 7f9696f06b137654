/** What a disk worker thread runs: a store, joined to the thread's message port. */
import { parentPort, workerData } from 'node:worker_threads'
import { DiskStore } from '../disk/store/diskStore.ts'
import type { StoreReply, StoreRequest, StoreSetup } from '../disk/storeProtocol.ts'

const port = parentPort
if (port === null) throw new Error('this file is run in a worker thread')

const store = new DiskStore(workerData as StoreSetup, (reply: StoreReply) => port.postMessage(reply))

port.on('message', (request: StoreRequest) => {
  store.receive(request)
  if (typeof request !== 'number' && request.kind === 'stop') port.close()
})
