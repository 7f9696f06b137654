const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB']

/** `1.07 GB`: three digits, powers of 1000. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 would be shown as 1000
  while (value >= 999.5 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0
  return `${value.toFixed(digits)} ${DECIMAL_UNITS[unit]}`
}

/** Bytes per second. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.max(0, Math.round(bytesPerSecond)))}/s`
}

/** `256 KiB`: piece sizes are powers of two, or nearly so. */
export function formatPieceSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && Number.isInteger(value / 1024) && unit < BINARY_UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value} ${BINARY_UNITS[unit]}`
}

/** `1,073,741,824`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** `1 file`, `3 files`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `42.1 %`, rounded down: 100 % means all. */
export function formatPercent(fraction: number): string {
  return `${(Math.floor(fraction * 1000 + 1e-9) / 10).toFixed(1)} %`
}

/** How long something took: `0.4s`, and from ten seconds as `formatDuration`. */
export function formatElapsed(seconds: number): string {
  return seconds < 9.95 ? `${Math.max(0, seconds).toFixed(1)}s` : formatDuration(seconds)
}

/** `text` as one word of a command line for a POSIX shell: in quotes if it needs them. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** `45s`, `2m 10s`, `1h 05m`, `3d 04h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${two((whole % 3600) / 60)}m`
  return `${Math.floor(whole / 86_400)}d ${two((whole % 86_400) / 3600)}h`
}

/** `0-3, 7`: ascending numbers with runs drawn together, at most `limit` runs. */
export function formatRanges(numbers: readonly number[], limit = 20): string {
  const runs: [number, number][] = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else runs.push([number, number])
  }
  const shown = runs.slice(0, limit).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
  if (runs.length > limit) shown.push('...')
  return shown.join(', ')
}
