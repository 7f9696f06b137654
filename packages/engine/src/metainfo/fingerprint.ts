/** Code of this library in peer ids; in none of the public lists (BEP 20, libtorrent, Transmission, BiglyBT). */
export const CLIENT_CODE = 'LJ'

/**
 * Name and version of a client as it stands at the front of its peer id, Azureus style: `-LJ0100-`
 * (manual, `fingerprint`). Each version number is 0 to 9; up to 35 is written as a letter.
 */
export class Fingerprint {
  /**
   * @param name the client's code: two characters for Azureus style, one for the older styles `clientFingerprint` reads
   */
  constructor(
    readonly name: string,
    readonly majorVersion: number,
    readonly minorVersion: number,
    readonly revisionVersion: number,
    readonly tagVersion: number,
  ) {}

  /** The eight characters a peer id begins with. @throws RangeError when name or numbers have no such form */
  toString(): string {
    if (!/^[!-~]{2}$/.test(this.name)) throw new RangeError(`a client code is two characters, not "${this.name}"`)
    const versions = [this.majorVersion, this.minorVersion, this.revisionVersion, this.tagVersion]
    return `-${this.name}${versions.map(versionCharacter).join('')}-`
  }
}

/** The eight characters for these numbers: libtorrent's `generate_fingerprint`. @throws RangeError */
export function generateFingerprint(name: string, major: number, minor = 0, revision = 0, tag = 0): string {
  return new Fingerprint(name, major, minor, revision, tag).toString()
}

/** What peer ids begin with unless the user sets another fingerprint. */
export const DEFAULT_FINGERPRINT = generateFingerprint(CLIENT_CODE, 0, 1, 0, 0)

function versionCharacter(version: number): string {
  if (!Number.isInteger(version) || version < 0 || version > 35) {
    throw new RangeError(`a version number in a fingerprint is 0 to 35, not ${version}`)
  }
  return version.toString(36).toUpperCase()
}
