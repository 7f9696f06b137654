import { storeError } from './storeErrors.ts'

/** A long operation of a storage, which gives way to other work between its steps. */
export class StoreTask {
  /** Set when the storage is being closed. */
  cancelled = false

  constructor(readonly storage: number) {}

  /** @throws LibtorrentError `ECANCELED` once the task is cancelled. */
  check(path: string): void {
    if (this.cancelled) throw storeError('ECANCELED', 'unknown', path)
  }
}
