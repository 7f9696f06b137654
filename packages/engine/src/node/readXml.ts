import type { SaxesOptions, SaxesParser } from 'saxes'
import type { XmlHandler } from '../platform/xml.ts'

const MAX_DEPTH = 64
/** Devices make a few mistakes; a document with more is none. */
const MAX_ERRORS = 100

export type SaxesClass = new (options: SaxesOptions) => SaxesParser

/** Thrown out of the parser's callbacks, the only way to stop it. */
const GIVEN_UP = new Error('not worth reading on')

/**
 * Reads `text` with a saxes parser. Its complaints are counted, not obeyed: what routers send is often not well-formed.
 * saxes skips document types, so that no entity is defined and nothing is loaded. False: given up, or no XML at all.
 */
export function readXml(Parser: SaxesClass, text: string, handler: XmlHandler): boolean {
  const parser = new Parser({ position: false })
  let depth = 0
  let elements = 0
  let errors = 0
  parser.on('error', () => {
    if (++errors > MAX_ERRORS) throw GIVEN_UP
  })
  parser.on('opentag', ({ name }) => {
    elements++
    if (++depth > MAX_DEPTH) throw GIVEN_UP
    handler.onOpen(localName(name))
  })
  parser.on('closetag', ({ name }) => {
    depth--
    handler.onClose(localName(name))
  })
  parser.on('text', (chunk) => handler.onText(chunk))
  parser.on('cdata', (chunk) => handler.onText(chunk))
  try {
    parser.write(text).close()
    return elements > 0
  } catch (cause) {
    if (cause === GIVEN_UP) return false
    throw cause
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
