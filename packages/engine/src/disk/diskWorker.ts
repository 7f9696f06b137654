import type { StoreReply, StoreRequest, StoreSetup } from './storeProtocol.ts'

/** One thread (or stand-in) that runs a store, seen from the network thread. */
export interface DiskWorker {
  post(request: StoreRequest): void
  /** Whether the worker keeps the process alive. It does not until asked. */
  setKeepsAlive(keepsAlive: boolean): void
  /** Ends it whatever it is at. It may end late, or never if the system does not let go of it; nobody waits. */
  terminate(): void
}

/** What a worker tells the network thread. Calls come from the event loop, never from inside `post`. */
export interface DiskWorkerHandler {
  onReply(reply: StoreReply): void
  /** The worker has ended; `cause` says why unless it was asked to `stop`. Nothing comes after this. */
  onEnded(cause: unknown): void
}

/** Starts worker number `index`; injected, so that tests can run the store in their own thread. */
export type StartDiskWorker = (index: number, setup: StoreSetup, handler: DiskWorkerHandler) => DiskWorker

/** Calls back at the end of this turn of the event loop (`setImmediate` of a real platform). */
export type Defer = (callback: () => void) => void
