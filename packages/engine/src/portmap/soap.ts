import type { XmlReader } from '../platform/xml.ts'
import { fromUtf8, utf8 } from '../util/bytes.ts'
import { printable } from './printable.ts'

const MAX_TEXT_LENGTH = 256

/** What a router answered to an action. */
export interface SoapReply {
  /** Of a fault; null when there is none. */
  readonly errorCode: number | null
  /** The router's words about it, printable. */
  readonly errorDescription: string
  /** Values of the answer by name, those of `WANTED`. */
  readonly values: Readonly<Partial<Record<Wanted, string>>>
}

type Wanted = (typeof WANTED)[number]
const WANTED = ['NewExternalIPAddress', 'NewReservedPort'] as const

/** Calls `action` of a service (UPnP Device Architecture 1.0, section 3.2). */
export function encodeSoap(
  serviceType: string,
  action: string,
  args: readonly (readonly [name: string, value: string | number])[],
): Uint8Array {
  const body = args.map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`).join('')
  return utf8(
    '<?xml version="1.0"?>\r\n' +
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
      's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
      `<s:Body><u:${action} xmlns:u="${serviceType}">${body}</u:${action}></s:Body></s:Envelope>\r\n`,
  )
}

/** Reads the answer; null when it is not XML. */
export function readSoapReply(xml: XmlReader, body: Uint8Array, done: (reply: SoapReply | null) => void): void {
  const values: Partial<Record<Wanted, string>> = {}
  let errorCode: number | null = null
  let errorDescription = ''
  let text = ''
  const handler = {
    onOpen() {
      text = ''
    },
    onText(more: string) {
      if (text.length <= MAX_TEXT_LENGTH) text += more.slice(0, MAX_TEXT_LENGTH + 1)
    },
    onClose(name: string) {
      const value = text.trim()
      text = ''
      const wanted = WANTED.find((each) => each === name)
      if (wanted !== undefined) values[wanted] ??= value
      else if (name === 'errorCode') errorCode ??= /^\d{1,6}$/.test(value) ? Number(value) : null
      else if (name === 'errorDescription') errorDescription ||= printable(value, 200)
    },
  }
  xml.read(fromUtf8(body), handler, (complete) => {
    done(complete ? { errorCode, errorDescription, values } : null)
  })
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

function escapeXml(text: string): string {
  return printable(text, MAX_TEXT_LENGTH).replace(/[&<>"']/g, (character) => ENTITIES[character])
}
