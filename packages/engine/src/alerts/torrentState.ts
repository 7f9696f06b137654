/**
 * What a torrent is doing (manual, `torrent_status::state_t`). The values are the names themselves, so that
 * `state === 'seeding'` and `state === TorrentState.seeding` are the same question.
 */
export const TorrentState = {
  /** Waits for its turn to be checked. */
  queuedForChecking: 'queuedForChecking',
  /** What is on disk is being compared with the piece hashes. */
  checkingFiles: 'checkingFiles',
  /** The info dictionary is being fetched from peers. */
  downloadingMetadata: 'downloadingMetadata',
  downloading: 'downloading',
  /** All wanted pieces are there, but not all pieces. */
  finished: 'finished',
  /** Every piece is there. */
  seeding: 'seeding',
  /** Files are being given their full size (storage mode `allocate`). */
  allocating: 'allocating',
  /** Resume data is being compared with what is on disk. */
  checkingResumeData: 'checkingResumeData',
} as const
export type TorrentState = (typeof TorrentState)[keyof typeof TorrentState]
