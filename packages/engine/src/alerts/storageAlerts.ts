import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'
import { AlertCategory } from './alert.ts'
import { TorrentAlert, type TorrentAlertFields } from './torrentAlerts.ts'

/** Answer to `readPiece`: the piece's bytes, or why it could not be read. @see manual, read_piece_alert */
export class ReadPieceAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'readPiece'
  /** The whole piece; null after an error. */
  readonly buffer: Uint8Array | null
  readonly piece: PieceIndex
  /** Bytes read; 0 after an error. */
  readonly size: number
  /** Null when the piece was read. */
  readonly error: LibtorrentError | null

  constructor(
    fields: TorrentAlertFields & {
      readonly piece: PieceIndex
      readonly buffer: Uint8Array | null
      readonly error: LibtorrentError | null
    },
  ) {
    super(fields)
    this.buffer = fields.buffer
    this.piece = fields.piece
    this.size = fields.buffer === null ? 0 : fields.buffer.length
    this.error = fields.error
  }

  /** libtorrent 1.0's name of `error`. */
  get ec(): LibtorrentError | null {
    return this.error
  }

  override message(): string {
    const outcome = this.error === null ? 'successful' : `failed: ${this.error.message}`
    return `${super.message()}: read_piece ${this.piece} ${outcome}`
  }
}

/**
 * Files could not be read or written. After a write error the torrent is in upload mode, after a read error it is
 * paused. @see manual, file_error_alert
 */
export class FileErrorAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status | AlertCategory.error | AlertCategory.storage
  readonly type = 'fileError'
  /** Path of the file at fault. */
  readonly file: string
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly file: string; readonly error: LibtorrentError }) {
    super(fields)
    this.file = fields.file
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} ${this.error.operation} (${this.file}) error: ${this.error.message}`
  }
}

/** Every piece that touches a file has passed its hash check. @see manual, file_completed_alert */
export class FileCompletedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.progress
  readonly type = 'fileCompleted'
  readonly index: FileIndex

  constructor(fields: TorrentAlertFields & { readonly index: FileIndex }) {
    super(fields)
    this.index = fields.index
  }

  override message(): string {
    return `${super.message()}: file ${this.index} finished downloading`
  }
}

/** A file was renamed as asked. @see manual, file_renamed_alert */
export class FileRenamedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'fileRenamed'
  /** The new path, below the save path. */
  readonly name: string
  readonly index: FileIndex

  constructor(fields: TorrentAlertFields & { readonly name: string; readonly index: FileIndex }) {
    super(fields)
    this.name = fields.name
    this.index = fields.index
  }

  override message(): string {
    return `${super.message()}: file ${this.index} renamed to "${this.name}"`
  }
}

/** A file could not be renamed and keeps its name. @see manual, file_rename_failed_alert */
export class FileRenameFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'fileRenameFailed'
  readonly index: FileIndex
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly index: FileIndex; readonly error: LibtorrentError }) {
    super(fields)
    this.index = fields.index
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()}: failed to rename file ${this.index}: ${this.error.message}`
  }
}

/** All files are at their new place. @see manual, storage_moved_alert */
export class StorageMovedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'storageMoved'
  /** The new save path. */
  readonly path: string

  constructor(fields: TorrentAlertFields & { readonly path: string }) {
    super(fields)
    this.path = fields.path
  }

  override message(): string {
    return `${super.message()} moved storage to: "${this.path}"`
  }
}

/** The files could not be moved and are where they were. @see manual, storage_moved_failed_alert */
export class StorageMovedFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'storageMovedFailed'
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} storage move failed: ${this.error.message}`
  }
}

/** The files of a torrent that was removed are deleted. @see manual, torrent_deleted_alert */
export class TorrentDeletedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'torrentDeleted'
  /** Says which torrent it was: `handle` is no longer valid. */
  readonly infoHash: Sha1Hash

  constructor(fields: TorrentAlertFields & { readonly infoHash: Sha1Hash }) {
    super(fields)
    this.infoHash = fields.infoHash
  }

  override message(): string {
    return `${super.message()} deleted`
  }
}

/** The files of a torrent that was removed could not be deleted. @see manual, torrent_delete_failed_alert */
export class TorrentDeleteFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage | AlertCategory.error
  readonly type = 'torrentDeleteFailed'
  readonly error: LibtorrentError
  /** Says which torrent it was: `handle` is no longer valid. */
  readonly infoHash: Sha1Hash

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError; readonly infoHash: Sha1Hash }) {
    super(fields)
    this.error = fields.error
    this.infoHash = fields.infoHash
  }

  override message(): string {
    return `${super.message()} torrent deletion failed: ${this.error.message}`
  }
}

/** Answer to `flushCache`: everything written so far has reached the disk. @see manual, cache_flushed_alert */
export class CacheFlushedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'cacheFlushed'

  override message(): string {
    return `${super.message()} cache flushed`
  }
}

/**
 * Answer to `saveResumeData`. Posted whatever the mask says, because someone asked for it.
 * @see manual, save_resume_data_alert
 */
export class SaveResumeDataAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage
  readonly type = 'saveResumeData'
  /** The resume file's bytes (bencoded): write them to disk, and give them back when the torrent is added again. */
  readonly resumeData: Uint8Array

  constructor(fields: TorrentAlertFields & { readonly resumeData: Uint8Array }) {
    super(fields)
    this.resumeData = fields.resumeData
  }

  override message(): string {
    return `${super.message()} resume data generated`
  }
}

/** Resume data could not be made. Posted whatever the mask says. @see manual, save_resume_data_failed_alert */
export class SaveResumeDataFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.storage | AlertCategory.error
  readonly type = 'saveResumeDataFailed'
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} resume data was not generated: ${this.error.message}`
  }
}

/** The resume data does not match what is on disk; the torrent is checked in full. @see manual, fastresume_rejected_alert */
export class FastresumeRejectedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status | AlertCategory.error
  readonly type = 'fastresumeRejected'
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    const at = this.error.path === undefined ? '' : ` (${this.error.path})`
    return `${super.message()} fast resume rejected${at}: ${this.error.message}`
  }
}
