import { SaxesParser } from 'saxes'
import { readXml } from '../src/node/readXml.ts'
import type { XmlHandler, XmlReader } from '../src/platform/xml.ts'

/** The same XML reader as in the real world, which answers at once. */
export class SimXml implements XmlReader {
  read(text: string, handler: XmlHandler, done: (complete: boolean) => void): void {
    done(readXml(SaxesParser, text, handler))
  }
}
