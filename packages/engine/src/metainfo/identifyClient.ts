import { latin1 } from '../util/bytes.ts'
import { clientNames, genericClients } from './clientNames.ts'
import { Fingerprint } from './fingerprint.ts'

const PEER_ID_SIZE = 20

/**
 * The client a peer id belongs to, for people: `qBittorrent 4.5.2`, or `Unknown [...]` with the id's printable
 * characters (manual, `identify_client()`). Only printable ASCII is ever returned.
 */
export function identifyClient(peerId: Uint8Array): string {
  const id = peerIdText(peerId)
  if (/^\0{20}$/.test(id)) return 'Unknown'
  for (const { offset, text, name } of genericClients) if (id.startsWith(text, offset)) return name
  if (id.startsWith('-BOW') && id[7] === '-') return printable(`Bits on Wheels ${id.slice(4, 7)}`)
  if (id.startsWith('eX')) return printable(`eXeem ('${id.slice(2, 14)}')`)
  const startsEmpty = id.startsWith('\0'.repeat(12))
  if (startsEmpty && id[12] === '\x97') return 'Experimental 3.2.1b2'
  if (startsEmpty && id[12] === '\0') return 'Experimental 3.1'
  const print = fingerprintOf(id)
  if (print !== null) return printable(describe(print))
  if (startsEmpty) return 'Generic'
  return `Unknown [${printable(id)}]`
}

/**
 * Code and version in a peer id of Azureus's, Shadow's or Mainline's style, or null (manual, `client_fingerprint()`).
 * The name of the latter two is a single character.
 */
export function clientFingerprint(peerId: Uint8Array): Fingerprint | null {
  return fingerprintOf(peerIdText(peerId))
}

function fingerprintOf(id: string): Fingerprint | null {
  return azureusStyle(id) ?? shadowStyle(id) ?? mainlineStyle(id)
}

/** `-XX1234-` */
function azureusStyle(id: string): Fingerprint | null {
  const match = /^-([ -~][0-\xff])([0-\xff])([0-\xff])([0-\xff])([0-\xff])-/.exec(id)
  if (match === null) return null
  return new Fingerprint(match[1], digit(match[2]), digit(match[3]), digit(match[4]), digit(match[5]))
}

/** `X123--`, or the numbers as bytes and a zero byte at index 8. */
function shadowStyle(id: string): Fingerprint | null {
  const match = /^([A-Za-z0-9])([0-\xff])([0-\xff])([0-\xff])--/.exec(id)
  if (match !== null) return new Fingerprint(match[1], digit(match[2]), digit(match[3]), digit(match[4]), 0)
  const binary = /^([A-Za-z0-9])(?:(?!.{3}--)[\0-\x7f]{3}).{4}\0/s.test(id)
  if (!binary) return null
  return new Fingerprint(id[0], id.charCodeAt(1), id.charCodeAt(2), id.charCodeAt(3), 0)
}

/** `X1-22-3-` */
function mainlineStyle(id: string): Fingerprint | null {
  const match = /^([!-~])(\d{1,3})-(\d{1,3})-(\d{1,3})-/.exec(id)
  return match && new Fingerprint(match[1], Number(match[2]), Number(match[3]), Number(match[4]), 0)
}

/** Value of a version character: BEP 20's `0-9A-Za-z`. */
function digit(char: string): number {
  if (char <= '9') return Number(char)
  return char >= 'a' && char <= 'z' ? char.charCodeAt(0) - 97 + 36 : Math.max(char.charCodeAt(0) - 65 + 10, 0)
}

function describe(print: Fingerprint): string {
  const name = Object.hasOwn(clientNames, print.name) ? clientNames[print.name] : print.name
  const version = `${print.majorVersion}.${print.minorVersion}.${print.revisionVersion}`
  return `${name} ${version}${print.tagVersion === 0 ? '' : `.${print.tagVersion}`}`
}

function peerIdText(peerId: Uint8Array): string {
  return latin1(peerId.subarray(0, PEER_ID_SIZE)).padEnd(PEER_ID_SIZE, '\0')
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '.')
}
