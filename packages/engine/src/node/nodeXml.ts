import type { XmlHandler, XmlReader } from '../platform/xml.ts'
import { readXml, type SaxesClass } from './readXml.ts'

/** XML by saxes, which is loaded with the first document. */
export class NodeXml implements XmlReader {
  private parser: Promise<SaxesClass> | null = null

  read(text: string, handler: XmlHandler, done: (complete: boolean) => void): void {
    this.parser ??= import('saxes').then(({ SaxesParser }) => SaxesParser)
    // What is thrown by `handler` or `done` is not our failure, and not to be swallowed.
    void this.parser.then((Parser) => done(readXml(Parser, text, handler)))
  }
}
