import type { CertificateNames } from '../platform/tls.ts'
import { EMPTY_BYTES, equalBytes } from '../util/bytes.ts'
import { DerReader, DerTag } from './derReader.ts'

/** Tags of fields of a certificate's body (RFC 5280, 4.1). */
const VERSION_TAG = 0xa0
const EXTENSIONS_TAG = 0xa3
/** dNSName in a GeneralName (RFC 5280, 4.2.1.6). */
const DNS_NAME_TAG = 0x82
/** id-at-commonName, 2.5.4.3. */
const COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03)
/** id-ce-subjectAltName, 2.5.29.17. */
const SUBJECT_ALT_NAME = Uint8Array.of(0x55, 0x1d, 0x11)
/** Fields between the version and the subject: serial number, signature, issuer, validity. */
const FIELDS_BEFORE_SUBJECT = 4

/**
 * The names in an X.509 certificate (DER), byte for byte as they stand there: decoders of names differ in what they make of
 * bytes that are no ASCII, and here bytes are compared. Null when it cannot be read.
 */
export function certificateNames(der: Uint8Array): CertificateNames | null {
  const body = child(child(der, DerTag.sequence), DerTag.sequence)
  if (body === null) return null
  const fields = new DerReader(body)
  if (fields.nextTag === VERSION_TAG) fields.next()
  for (let i = 0; i < FIELDS_BEFORE_SUBJECT; i++) if (fields.next() === null) return null
  const subject = fields.take(DerTag.sequence)
  if (subject === null) return null
  let dnsNames: readonly Uint8Array[] = []
  while (fields.nextTag !== -1) {
    const field = fields.next()
    if (field?.tag === EXTENSIONS_TAG) dnsNames = dnsNamesOf(field.content)
  }
  return fields.isComplete ? { dnsNames, commonName: lastCommonName(subject) } : null
}

/** The content of the first value in `bytes`, if it has this tag. */
function child(bytes: Uint8Array | null, tag: number): Uint8Array | null {
  return bytes === null ? null : new DerReader(bytes).take(tag)
}

/** The most specific one is the last (manual, SSL torrents). A name of an unusual type is taken as the bytes it is. */
function lastCommonName(subject: Uint8Array): Uint8Array | null {
  let last: Uint8Array | null = null
  const sets = new DerReader(subject)
  for (let set = sets.take(DerTag.set); set !== null; set = sets.take(DerTag.set)) {
    const attributes = new DerReader(set)
    for (let each = attributes.take(DerTag.sequence); each !== null; each = attributes.take(DerTag.sequence)) {
      const attribute = new DerReader(each)
      const type = attribute.take(DerTag.objectIdentifier)
      const value = attribute.next()
      if (type !== null && value !== null && equalBytes(type, COMMON_NAME)) last = value.content
    }
  }
  return last
}

function dnsNamesOf(extensions: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = []
  const list = new DerReader(child(extensions, DerTag.sequence) ?? EMPTY_BYTES)
  for (let each = list.take(DerTag.sequence); each !== null; each = list.take(DerTag.sequence)) {
    const extension = new DerReader(each)
    const id = extension.take(DerTag.objectIdentifier)
    if (id === null || !equalBytes(id, SUBJECT_ALT_NAME)) continue
    if (extension.nextTag === DerTag.boolean) extension.next()
    const alternatives = new DerReader(child(extension.take(DerTag.octetString), DerTag.sequence) ?? EMPTY_BYTES)
    for (let name = alternatives.next(); name !== null; name = alternatives.next()) {
      if (name.tag === DNS_NAME_TAG) names.push(name.content)
    }
  }
  return names
}
