/**
 * What a move does with files that are at the new place already (1.0, move_flags_t). In every mode nothing is lost when
 * the move fails, and files of the torrent never replace each other.
 */
export const MoveFlags = {
  /** They are replaced. The default. */
  alwaysReplaceFiles: 0,
  /** The move fails with `EEXIST` before anything is touched: a way to find out, and to ask the user. */
  failIfExist: 1,
  /**
   * They stay, and are the torrent's files from then on, so that everything is checked anew; the files they were to be
   * replaced by stay where they are.
   */
  dontReplace: 2,
} as const
export type MoveFlags = (typeof MoveFlags)[keyof typeof MoveFlags]
