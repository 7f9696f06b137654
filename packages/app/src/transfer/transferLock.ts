import { createHash } from 'node:crypto'
import { mkdir, open, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError } from '../cliError.ts'

/**
 * Keeps two `lt download` of one torrent out of one directory: both would write the same files and the same resume
 * file. The lock is a file with the owner's process id in the system's directory for temporary files, since nothing
 * but the content and the resume file may lie in the directory itself. A lock whose owner is gone is taken over.
 */
export class TransferLock {
  private constructor(private readonly path: string) {}

  /** @throws CliError when another process has it */
  static async take(directory: string, infoHash: string): Promise<TransferLock> {
    const place = await realpath(directory).catch(() => directory)
    const name = createHash('sha1').update(`${place}\0${infoHash}`).digest('hex')
    const locks = join(tmpdir(), `libtorrent-ts-${process.getuid?.() ?? 'locks'}`)
    await mkdir(locks, { recursive: true, mode: 0o700 })
    const lock = new TransferLock(join(locks, `${name}.lock`))
    // The second attempt comes after a stale lock was removed; if somebody else was faster, the lock is theirs.
    for (const isLast of [false, true]) {
      if (await lock.create()) return lock
      const owner = await lock.owner()
      if (isLast || isRunning(owner)) {
        throw new CliError(
          `Process ${owner} is downloading this torrent to ${directory} already. Stop it, or give another --output. ` +
            `If that is not so, delete ${lock.path}.`,
        )
      }
      await rm(lock.path, { force: true })
    }
    return lock
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true })
  }

  private async create(): Promise<boolean> {
    try {
      const file = await open(this.path, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      await file.close()
      return true
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw cause
    }
  }

  /** Process id in the file, 0 if there is none. */
  private async owner(): Promise<number> {
    const text = await readFile(this.path, 'utf8').catch(() => '')
    const pid = Number(text)
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0
  }
}

function isRunning(pid: number): boolean {
  if (pid === 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // Somebody else's process is one that runs.
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}
