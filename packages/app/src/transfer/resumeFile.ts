import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError, reasonOf } from '../cliError.ts'
import { makeDirectory } from '../makeDirectory.ts'
import { readBounded } from '../readBounded.ts'
import { writeAtomically } from '../writeAtomically.ts'

/** The bitfields of a million pieces and the names of 100,000 files are far below. */
const MAX_BYTES = 100 * 1024 * 1024

/**
 * What a download needs to go on later: libtorrent's resume data, in a hidden file beside the content,
 * `DIR/.<info-hash>.resume`.
 */
export class ResumeFile {
  readonly path: string
  private readonly temporary: string

  constructor(
    private readonly directory: string,
    infoHash: string,
  ) {
    this.path = join(directory, `.${infoHash}.resume`)
    this.temporary = `${this.path}.tmp`
  }

  /** Its bytes, whatever they are; null when there is no such file. Cleans up after a process that died writing it. */
  async load(): Promise<Uint8Array | null> {
    await rm(this.temporary, { force: true }).catch(() => {})
    try {
      return await readBounded(this.path, MAX_BYTES)
    } catch (cause) {
      throw new CliError(`${this.path}: ${reasonOf(cause)}`, 1, { cause })
    }
  }

  async save(bytes: Uint8Array): Promise<void> {
    await makeDirectory(this.directory)
    await writeAtomically(this.path, bytes, this.temporary)
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true })
    await rm(this.temporary, { force: true })
  }
}
