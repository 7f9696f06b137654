import { SaveResumeFlags, StatusFlags, type TorrentHandle } from 'libtorrent-ts'
import { reasonOf } from '../cliError.ts'
import type { Output } from '../output/output.ts'
import type { ResumeFile } from './resumeFile.ts'

/** What is lost at most when the process is killed, in time. */
const SAVE_INTERVAL_MS = 30_000

/** Writes a torrent's resume file while it changes, and removes it when it has done its work. */
export class ResumeKeeper {
  private saving: Promise<void> | null = null
  private timer: NodeJS.Timeout | null = null
  private isOver = false

  constructor(
    private readonly handle: TorrentHandle,
    private readonly file: ResumeFile,
    private readonly output: Output,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.saveIfChanged(), SAVE_INTERVAL_MS)
  }

  /** Saves what has reached the disk, if there is anything to say. Never rejects. */
  async saveIfChanged(): Promise<void> {
    if (!this.isOver && this.handle.isValid && this.handle.needSaveResumeData) await this.save()
  }

  /** The same, and nothing afterwards. */
  async finish(): Promise<void> {
    await this.saving
    await this.saveIfChanged()
    this.stop()
  }

  /** Nothing is saved any more, and no file stays. */
  async discard(): Promise<void> {
    this.stop()
    await this.saving
    await this.file.remove().catch((error: unknown) => this.output.warn(`${this.file.path}: ${reasonOf(error)}`))
  }

  private stop(): void {
    this.isOver = true
    if (this.timer !== null) clearInterval(this.timer)
  }

  private save(): Promise<void> {
    this.saving ??= this.write().finally(() => {
      this.saving = null
    })
    return this.saving
  }

  private async write(): Promise<void> {
    // While files are checked it is not known what is there, and saying nothing of it would lose it.
    const { state } = this.handle.status(StatusFlags.queryName)
    if (state !== 'downloading' && state !== 'finished' && state !== 'seeding') return
    try {
      const flags = SaveResumeFlags.flushDiskCache | SaveResumeFlags.saveInfoDict
      await this.file.save(await this.handle.saveResumeData(flags))
      this.output.trace(`saved ${this.file.path}`)
    } catch (error) {
      this.output.warn(`The resume file could not be saved: ${this.file.path}: ${reasonOf(error)}`)
    }
  }
}
