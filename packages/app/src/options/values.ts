import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'

/** Parsers of option values. What makes no sense is an `InvalidArgumentError`, whose text follows commander's own. */

/** 0 to 65535; 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return port
}

const DURATION_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `30s`, `10m`, `2h`, `1d`, `1h30m`, and bare numbers of minutes; in seconds. */
export function parseDuration(text: string): number {
  const bare = /^\d+(?:\.\d+)?$/.test(text) ? `${text}m` : text.toLowerCase()
  if (!/^(?:\d+(?:\.\d+)?[smhd])+$/.test(bare)) {
    throw new InvalidArgumentError('A time is a number of minutes, or like 30s, 10m, 2h or 1h30m.')
  }
  let seconds = 0
  for (const [, amount, unit] of bare.matchAll(/([\d.]+)([smhd])/g)) seconds += Number(amount) * DURATION_SECONDS[unit]
  return seconds
}

/** As `parseDuration`, but a bare number is of whole seconds, at least 1. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : parseDuration(text)
  if (!(seconds >= 1 && seconds <= 0x7fff_ffff)) throw new InvalidArgumentError('It must be a second at least.')
  return Math.round(seconds)
}

/** An IPv4 or IPv6 address, without brackets. */
export function parseAddress(text: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) === 0) throw new InvalidArgumentError('It must be an IPv4 or IPv6 address.')
  return address
}

/** An address, without brackets, or the name of a network device. */
export function parseInterface(text: string): string {
  const name = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(name) === 0 && !/^[A-Za-z][\w .@-]*$/.test(name)) {
    throw new InvalidArgumentError('It must be an IPv4 or IPv6 address, or the name of a network device.')
  }
  return name
}

const SIZE_FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** `16384`, `16k`, `16KiB`, `1M`: bytes, units of 1024. */
export function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text)
  const bytes = match === null ? Number.NaN : Number(match[1]) * SIZE_FACTORS[match[2].toLowerCase()]
  if (!Number.isSafeInteger(bytes) || bytes <= 0) {
    throw new InvalidArgumentError('A size is a number of bytes, or like 256KiB or 1MiB.')
  }
  return bytes
}

/** `50000`, `500K`, `2M`, `1.5MiB/s`: bytes a second, units of 1024. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?(?:\/s)?$/i.exec(text)
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * SIZE_FACTORS[match[2].toLowerCase()])
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new InvalidArgumentError('A rate is a number of bytes a second, at least 1, or like 500K or 2M.')
  }
  return bytes
}

/** A number of at least 0. */
export function parseRatio(text: string): number {
  const ratio = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(ratio)) throw new InvalidArgumentError('A ratio is a number such as 1.5.')
  return ratio
}

/** The URL of a tracker, as it was given. */
export function parseTrackerUrl(text: string): string {
  return checkedUrl(
    text,
    ['http:', 'https:', 'udp:', 'wss:', 'ws:'],
    'A tracker is a URL that begins with http://, https://, udp://, wss:// or ws://.',
  )
}

/** The URL of a web seed, as it was given. */
export function parseWebSeedUrl(text: string): string {
  return checkedUrl(text, ['http:', 'https:', 'ftp:'], 'A web seed is a URL that begins with http:// or https://.')
}

function checkedUrl(text: string, protocols: readonly string[], complaint: string): string {
  const isUrl = !/\s/.test(text) && URL.canParse(text) && protocols.includes(new URL(text).protocol)
  if (!isUrl) throw new InvalidArgumentError(complaint)
  return text
}

/** For options that may be given more than once: each value is parsed and added to those before. */
export function repeated<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => T[] {
  return (text, before) => [...(before ?? []), parse(text)]
}
