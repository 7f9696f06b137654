import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Full path of `program` on PATH or in the system directories, or null. */
export function findProgram(program: string): string | null {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin']) {
    const path = join(directory, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this directory.
    }
  }
  return null
}

let listsUpdated = false

/** Installs Debian packages when we are root; otherwise does nothing, and the client stays missing. */
export function aptInstall(...packages: string[]): void {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === null) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  if (!listsUpdated) spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  listsUpdated = true
  // In runlevel 1 invoke-rc.d starts nothing: we want the programs, not the services their packages would bring up.
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    env: { ...env, RUNLEVEL: '1' },
    stdio: 'ignore',
  })
}
