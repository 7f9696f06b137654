/** What a document consists of, in order. Calls come from inside the reader; names are without their prefix. */
export interface XmlHandler {
  onOpen(name: string): void
  /** Text directly inside the element opened last; entities are replaced, but only the five XML itself defines. */
  onText(text: string): void
  onClose(name: string): void
}

/**
 * Reads small XML documents from devices that may be broken or hostile. Nothing outside the document is ever loaded, no
 * entity is defined by it, and one that is nested deeper than 64 elements or full of errors is given up.
 */
export interface XmlReader {
  /**
   * `handler` is called for all of `text`, then `done` once, later or before this returns. False: it was given up
   * or has no element, and what the handler heard is to be forgotten.
   */
  read(text: string, handler: XmlHandler, done: (complete: boolean) => void): void
}
