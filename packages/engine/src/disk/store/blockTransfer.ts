import { thrownError } from '../../errors/libtorrentError.ts'
import { BLOCK_SIZE_BYTES } from '../../util/flavored.ts'
import type { JobBatch } from '../jobBatch.ts'
import type { SlotMemory } from '../slotMemory.ts'
import { toWireError, type WireError } from '../storeProtocol.ts'
import type { FilePool } from './filePool.ts'
import type { JobList } from './jobList.ts'
import type { StorageFiles } from './storageFiles.ts'
import { storeError } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'

type Direction = 'read' | 'write'

/**
 * Moves a run of adjacent blocks between their slots and the files: one vectored call per file the run touches.
 * A file that fails takes only the blocks with it that lie in it.
 */
export class BlockTransfer {
  private readonly views: Uint8Array[] = []

  constructor(
    private readonly fs: StoreFs,
    private readonly slots: SlotMemory,
    private readonly pool: FilePool,
  ) {}

  /** Transfers entries `from` to `to` of `list`. Failures are added to `errors` and noted in the jobs. */
  run(
    direction: Direction,
    files: StorageFiles,
    batch: JobBatch,
    list: JobList,
    from: number,
    to: number,
    errors: WireError[],
  ): void {
    const end = list.position(to - 1) + batch.length(list.job(to - 1))
    let first = from
    for (let position = list.position(from); position < end; ) {
      while (list.position(first) + batch.length(list.job(first)) <= position) first++
      const file = files.fileAt(position)
      const fileEnd = Math.max(position + 1, Math.min(end, files.fileEnd(file)))
      this.collectViews(batch, list, first, to, position, fileEnd)
      try {
        this.transfer(direction, files, file, position - files.layout.offsets[file], fileEnd - position)
      } catch (cause) {
        const operation = direction === 'read' ? 'fileRead' : 'fileWrite'
        errors.push(toWireError(cause, operation, files.fullPath(file)))
        for (let i = first; i < to && list.position(i) < fileEnd; i++) batch.setError(list.job(i), errors.length)
      }
      position = fileEnd
    }
  }

  /** Puts together the parts of the blocks that lie between two positions of the torrent. */
  private collectViews(batch: JobBatch, list: JobList, first: number, to: number, start: number, end: number): void {
    this.views.length = 0
    for (let i = first; i < to && list.position(i) < end; i++) {
      const job = list.job(i)
      const slot = this.slots.bytes(batch.slot(job))
      const begin = Math.max(0, start - list.position(i))
      const stop = Math.min(batch.length(job), end - list.position(i))
      this.views.push(begin === 0 && stop === BLOCK_SIZE_BYTES ? slot : slot.subarray(begin, stop))
    }
  }

  private transfer(direction: Direction, files: StorageFiles, file: number, position: number, length: number): void {
    if (files.isPad(file)) {
      // also when writing: what the hash sees must be what a reader will get
      for (const view of this.views) view.fill(0)
      return
    }
    const { fd, path } = this.pool.acquire(files, file, direction === 'write')
    if (direction === 'write') files.dirty.add(file)
    let rest: Uint8Array[] = this.views
    for (let done = 0; done < length; ) {
      const moved =
        direction === 'write'
          ? this.fs.writevSync(fd, rest, position + done)
          : this.fs.readvSync(fd, rest, position + done)
      done += moved
      if (done >= length) return
      if (moved === 0) {
        if (direction === 'write') throw storeError('EIO', 'fileWrite', path)
        throw thrownError('fileTooShort', { operation: 'fileRead', path })
      }
      rest = withoutFirst(rest, moved)
    }
  }
}

/** What is left of `views` after their first `count` bytes. */
function withoutFirst(views: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  let first = 0
  while (skip >= views[first].length) skip -= views[first++].length
  return [views[first].subarray(skip), ...views.slice(first + 1)]
}
