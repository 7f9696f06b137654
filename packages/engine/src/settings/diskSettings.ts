import { bool, int, source } from './settingRow.ts'

/** Settings about the disk, checking and resume data. */
export const diskSettings = {
  maxQueuedDiskBytes: int('max_queued_disk_bytes', {
    // libtorrent 2.1 takes 100 MiB. A third of that bridges a quarter of a second of disk stall at 1 Gbit/s,
    // and leaves the whole process room below 200 MB.
    default: 32 * 1024 * 1024,
    classic: 256 * 1024,
    min: 1,
    unit: 'bytes',
    source: source.manual,
    doc: 'Bytes received but not yet written. Above it peers are not read from until the disk has caught up, so that memory stays bounded.',
  }),
  filePoolSize: int('file_pool_size', {
    default: 40,
    min: 1,
    unit: 'files',
    source: source.manual,
    doc: 'Files kept open at once, over all torrents.',
  }),
  optimisticDiskRetry: int('optimistic_disk_retry', {
    default: 600,
    min: 1,
    unit: 's',
    source: source.manual,
    doc: 'After a write error a torrent only uploads; after this time it tries to write again.',
  }),
  disableHashChecks: bool('disable_hash_checks', {
    default: false,
    source: source.v1_0,
    doc: 'Believe all data without checking piece hashes (`disable_hash_check` in 0.15). For measurements only.',
  }),
  ignoreResumeTimestamps: bool('ignore_resume_timestamps', {
    default: false,
    source: source.v1_0,
    doc: 'Accept resume data although files have other modification times than it says.',
  }),
  noRecheckIncompleteResume: bool('no_recheck_incomplete_resume', {
    default: false,
    source: source.v1_0,
    doc: 'Where resume data is missing or cannot be believed, take it that nothing is there, instead of checking the files.',
  }),
} as const
