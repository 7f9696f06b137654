import { formatDuration, formatPercent, formatRate, plural } from './format.ts'

/** Which pieces are had. */
export interface PieceSet {
  readonly size: number
  get(piece: number): boolean
}

/** What the progress line shows. */
export interface Progress {
  /** What is going on, shown in front unless it is plain downloading; empty for that. */
  readonly activity: string
  /** 0 to 1. */
  readonly fraction: number
  /** Null while they are not known: the bar then shows the fraction. */
  readonly pieces: PieceSet | null
  /** Bytes per second; null to leave it out. */
  readonly downloadRate: number | null
  readonly uploadRate: number | null
  /** Null to leave it out. */
  readonly peers: number | null
  /** Seconds; null when unknown or over. */
  readonly eta: number | null
}

const UNICODE_SHADES = [' ', '░', '▒', '▓', '█']
const ASCII_SHADES = [' ', '.', '-', '=', '#']
const MIN_BAR = 8
const MAX_BAR = 40

/** One cell for each part of the torrent, darker the more of its pieces are had; full and empty mean all and none. */
export function piecesBar(pieces: PieceSet | null, fraction: number, width: number, unicode: boolean): string {
  const shades = unicode ? UNICODE_SHADES : ASCII_SHADES
  const full = shades[shades.length - 1]
  if (pieces === null || pieces.size === 0) {
    const cells = Math.floor(Math.max(0, Math.min(1, fraction)) * width + 1e-9)
    return full.repeat(cells) + ' '.repeat(width - cells)
  }
  let bar = ''
  for (let cell = 0; cell < width; cell++) {
    const first = Math.floor((cell * pieces.size) / width)
    const end = Math.max(first + 1, Math.floor(((cell + 1) * pieces.size) / width))
    let had = 0
    for (let piece = first; piece < end; piece++) if (pieces.get(piece)) had++
    const share = had / (end - first)
    bar += had === end - first ? full : shades[share === 0 ? 0 : 1 + Math.floor(share * (shades.length - 2))]
  }
  return bar
}

/** The parts of a progress line after the bar, the most important first. */
export function progressParts(progress: Progress): string[] {
  const { downloadRate, uploadRate, peers, eta } = progress
  const parts = [formatPercent(progress.fraction)]
  if (downloadRate !== null) parts.push(`down ${formatRate(downloadRate)}`)
  if (eta !== null) parts.push(`ETA ${formatDuration(eta)}`)
  if (peers !== null) parts.push(plural(peers, 'peer'))
  if (uploadRate !== null) parts.push(`up ${formatRate(uploadRate)}`)
  return parts
}

/** One line of at most `columns` characters: what does not fit is left out from the end, the bar last of all. */
export function progressLine(progress: Progress, columns: number, unicode: boolean): string {
  const parts = progressParts(progress)
  if (progress.activity !== '') parts.unshift(progress.activity)
  while (parts.length > 1 && parts.join('  ').length > columns) parts.pop()
  const text = parts.join('  ')
  const room = columns - text.length - 4
  if (room < MIN_BAR) return text.slice(0, columns)
  return `[${piecesBar(progress.pieces, progress.fraction, Math.min(MAX_BAR, room), unicode)}]  ${text}`
}
