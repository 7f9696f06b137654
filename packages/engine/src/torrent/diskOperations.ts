import type { Alert } from '../alerts/alert.ts'
import {
  CacheFlushedAlert,
  FileRenamedAlert,
  FileRenameFailedAlert,
  ReadPieceAlert,
  SaveResumeDataAlert,
  SaveResumeDataFailedAlert,
  StorageMovedAlert,
  StorageMovedFailedAlert,
  TorrentDeletedAlert,
  TorrentDeleteFailedAlert,
} from '../alerts/storageAlerts.ts'
import { LibtorrentError, libtorrentError, thrownError } from '../errors/libtorrentError.ts'
import type { FileStat } from '../platform/disk.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'
import { writeResumeData } from '../resume/writeResumeData.ts'
import { copyToShared } from '../util/copyToShared.ts'
import { BLOCK_SIZE_BYTES, type FileIndex, type PieceIndex } from '../util/flavored.ts'
import { PieceReader } from './pieceReader.ts'
import type { Torrent } from './torrent.ts'
import { resumeStateOf } from './torrentResume.ts'

/** Options of `saveResumeData` (manual, save_resume_flags_t). */
export const SaveResumeFlags = {
  /** First wait until everything written so far has reached the disk. */
  flushDiskCache: 1,
  /** Put the info dictionary in, so that the torrent can be added from its resume data alone. */
  saveInfoDict: 2,
  /** Fail with `resumeDataNotModified` when nothing has changed since the last save. */
  onlyIfModified: 4,
} as const

type Done<T> = (result: T | LibtorrentError) => void

/** Calls of users that take the disk's time: each ends in an alert, and in `done`. */

export function readPiece(torrent: Torrent, piece: PieceIndex, done: Done<Uint8Array>): void {
  const finish = (result: Uint8Array | LibtorrentError) => {
    const error = result instanceof LibtorrentError ? result : null
    post(torrent, ReadPieceAlert.category, () => {
      const buffer = result instanceof LibtorrentError ? null : result
      return new ReadPieceAlert({ handle: torrent.ref, piece, buffer, error })
    })
    done(result)
  }
  const { layout } = torrent
  if (layout === null) return finish(libtorrentError('noMetadata'))
  if (!torrent.havePiece(piece)) return finish(libtorrentError('invalidPieceIndex'))
  const host = {
    pool: torrent.session.pool,
    read: torrent.server.read.bind(torrent.server),
  }
  new PieceReader(host, piece, layout.pieceSize(piece), finish).start()
}

export function flushCache(torrent: Torrent, done: Done<void>): void {
  const { storage } = torrent
  if (storage === null) return done(libtorrentError('noMetadata'))
  storage.flush((error) => {
    if (error !== null) return done(error)
    post(torrent, CacheFlushedAlert.category, () => new CacheFlushedAlert({ handle: torrent.ref }))
    done()
  })
}

/** `newName` is a path below the save path, or an absolute one; what else could lead out is refused. */
export function renameFile(torrent: Torrent, index: FileIndex, newName: string, done: Done<void>): void {
  const fail = (error: LibtorrentError) => {
    post(torrent, FileRenameFailedAlert.category, () => {
      return new FileRenameFailedAlert({ handle: torrent.ref, index, error })
    })
    done(error)
  }
  const { storage, info } = torrent
  if (storage === null) return fail(libtorrentError('noMetadata'))
  if (!Number.isInteger(index) || index < 0 || index >= info.numFiles) {
    return fail(libtorrentError('invalidEntryType', { message: `there is no file ${index}` }))
  }
  const given = torrent.renamedFiles.begin(index, newName)
  if (given instanceof LibtorrentError) return fail(given)
  storage.renameFile(index, given.path, (error) => {
    if (error !== null) {
      torrent.renamedFiles.cancel(index, given)
      return fail(error)
    }
    torrent.renamedFiles.finish(index, given)
    torrent.needsSaveResume = true
    const name = given.path
    post(torrent, FileRenamedAlert.category, () => new FileRenamedAlert({ handle: torrent.ref, index, name }))
    done()
  })
}

/** `torrentChecked` follows when files found at the new place are kept: what they hold is not known. */
export function moveStorage(torrent: Torrent, savePath: string, flags: MoveFlags, done: Done<void>): void {
  const fail = (error: LibtorrentError) => {
    post(torrent, StorageMovedFailedAlert.category, () => {
      return new StorageMovedFailedAlert({ handle: torrent.ref, error })
    })
    done(error)
  }
  const moved = (needFullCheck: boolean) => {
    torrent.savePath = savePath
    torrent.needsSaveResume = true
    post(torrent, StorageMovedAlert.category, () => new StorageMovedAlert({ handle: torrent.ref, path: savePath }))
    if (needFullCheck) torrent.forceRecheck()
    done()
  }
  if (torrent.storage === null) return moved(false)
  torrent.movesUnderWay++
  torrent.changed()
  torrent.storage.move(savePath, flags, (error, needFullCheck) => {
    torrent.movesUnderWay--
    torrent.changed()
    if (error === null) moved(needFullCheck)
    else fail(error)
  })
}

/** After the torrent was removed. */
export function deleteFiles(torrent: Torrent, done: Done<void>): void {
  const { storage, infoHash } = torrent
  if (storage === null) return done()
  storage.deleteFiles((error) => {
    if (error === null) {
      post(torrent, TorrentDeletedAlert.category, () => new TorrentDeletedAlert({ handle: torrent.ref, infoHash }))
    } else {
      post(torrent, TorrentDeleteFailedAlert.category, () => {
        return new TorrentDeleteFailedAlert({ handle: torrent.ref, error, infoHash })
      })
    }
    storage.close(() => done(error ?? undefined))
  })
}

/** Resume data: what was on disk when it was asked for. */
export function saveResumeData(torrent: Torrent, flags: number, done: Done<Uint8Array>): void {
  const refuse = (error: LibtorrentError) => {
    torrent.alerts.post(new SaveResumeDataFailedAlert({ handle: torrent.ref, error }))
    done(error)
  }
  const fail = (error: LibtorrentError) => {
    torrent.needsSaveResume = true
    refuse(error)
  }
  if ((flags & SaveResumeFlags.onlyIfModified) !== 0 && !torrent.needsSaveResume) {
    return refuse(libtorrentError('resumeDataNotModified'))
  }
  // What is claimed is settled before the files are looked at, so that they are at least as long as it takes; and they
  // are looked at before they are synced, so that they are still as long after a power failure.
  const state = resumeStateOf(torrent, { saveInfoDict: (flags & SaveResumeFlags.saveInfoDict) !== 0 })
  torrent.needsSaveResume = false
  const finish = (stats: readonly FileStat[] | null) => {
    const resumeData = writeResumeData({ ...state, fileSizes: state.fileSizes ?? stats?.map(sizeOf) ?? null })
    torrent.alerts.post(new SaveResumeDataAlert({ handle: torrent.ref, resumeData }))
    done(resumeData)
  }
  const { storage } = torrent
  if (storage === null) return finish(null)
  storage.statFiles((stats) => {
    if (!Array.isArray(stats)) fail(stats as LibtorrentError)
    else if ((flags & SaveResumeFlags.flushDiskCache) === 0) finish(stats)
    else storage.flush((error) => (error === null ? finish(stats) : fail(error)))
  })
}

/** Options of `addPiece`. */
export const AddPieceFlags = {
  /** Replace blocks that are there already, of a piece that is not complete: what is complete is known to be right. */
  overwriteExisting: 1,
} as const

/** Takes a whole piece from the user as if peers had sent it; its hash decides. */
export function addPiece(torrent: Torrent, piece: PieceIndex, bytes: Uint8Array, flags: number): void {
  const { layout, receiver, picker } = torrent
  const { pool } = torrent.session
  if (layout === null || receiver === null) throw thrownError('noMetadata')
  if (piece < 0 || piece >= layout.numPieces) throw thrownError('invalidPieceIndex')
  if (bytes.length !== layout.pieceSize(piece)) throw thrownError('invalidPieceSize')
  if (picker === null || picker.havePiece(piece)) return
  if ((flags & AddPieceFlags.overwriteExisting) !== 0) receiver.forgetPiece(piece)
  for (let block = 0; block < layout.blocksInPiece(piece); block++) {
    const blockId = layout.blockId(piece, block)
    if (picker.isDownloaded(blockId)) continue
    const slot = pool.acquire()
    if (slot === -1) throw thrownError('noMemory', { message: 'the disk is behind: try again later' })
    const begin = block * BLOCK_SIZE_BYTES
    copyToShared(pool.bytes(slot), 0, bytes.subarray(begin, begin + layout.blockSize(piece, block)))
    receiver.onOwnBlock(blockId, slot)
  }
}

function sizeOf(stat: FileStat): { size: number; mtime: number } {
  return { size: Math.max(0, stat.size), mtime: stat.mtime }
}

function post(torrent: Torrent, category: number, build: () => Alert): void {
  if (torrent.alerts.wants(category)) torrent.alerts.post(build())
}
