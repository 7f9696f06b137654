import type { PeerNetwork, PeerOrigin } from '../torrent/peerOrigin.ts'

/** A MaxMind database that was opened. */
export interface OriginDatabase {
  /** The record of an address, as the database has it; null when there is none, or it cannot be read. Never throws. */
  lookUp(address: string): unknown
}

/** What `PeerInfo.country` says when the database does not know the address, and when it has no sensible code for it. */
const UNKNOWN_COUNTRY = '--'
const INVALID_COUNTRY = '!!'
const UNKNOWN_NETWORK: PeerNetwork = { inetAs: 0, inetAsName: '' }
/** A name may be no longer. */
const MAX_NAME_LENGTH = 200
const MAX_AS_NUMBER = 0xffff_ffff

/**
 * In which country and network addresses are, by databases that users give. Reads the fields of MaxMind's databases
 * (`country.iso_code`, `autonomous_system_number`, `autonomous_system_organization`), which others have as well.
 */
export class PeerOrigins implements PeerOrigin {
  countries: OriginDatabase | null = null
  networks: OriginDatabase | null = null

  country(address: string): string {
    if (this.countries === null) return ''
    const record = asRecord(this.countries.lookUp(address))
    if (record === null) return UNKNOWN_COUNTRY
    const code =
      asRecord(record.country)?.iso_code ??
      asRecord(record.registered_country)?.iso_code ??
      record.country_code ??
      record.country
    if (code === undefined || code === '') return UNKNOWN_COUNTRY
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : INVALID_COUNTRY
  }

  network(address: string): PeerNetwork {
    const record = asRecord(this.networks?.lookUp(address))
    if (record === null) return UNKNOWN_NETWORK
    const number = record.autonomous_system_number ?? asNumberIn(record.asn)
    const name = record.autonomous_system_organization ?? record.as_name
    return {
      inetAs: typeof number === 'number' && number >= 0 && number <= MAX_AS_NUMBER ? number : 0,
      inetAsName: typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH) : '',
    }
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null
}

/** `AS13335` as some databases write it. */
function asNumberIn(text: unknown): number | undefined {
  const digits = typeof text === 'string' ? /^AS(\d{1,10})$/.exec(text)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}
