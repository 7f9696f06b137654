import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished, vi } from 'vitest'

// To start takes a process a second where nothing else runs, and ten on a busy machine; some tests start several.
vi.setConfig({ testTimeout: 90_000 })

const SCRIPT = fileURLToPath(new URL('../../bin/lt.js', import.meta.url))

/** Tests meet nobody they do not know. */
const ALONE = ['--no-dht', '--no-lsd', '--no-upnp', '--no-natpmp']

/** What one command leaves the next; not that of the user who runs the tests. */
let stateDirectory: string | null = null
afterAll(() => {
  if (stateDirectory !== null) rmSync(stateDirectory, { recursive: true, force: true })
})

/** Where commands of this test keep what they remember, from now on. */
export function useStateDirectory(directory: string): void {
  stateDirectory = directory
}

/** A JSON line of the command. */
export interface Line {
  readonly type: string
  readonly [field: string]: unknown
}

/** The command `lt` as it was built, running. Killed at the end of the test if it is not over by then. */
export class Lt {
  stdout = ''
  stderr = ''
  private readonly process: ChildProcessWithoutNullStreams
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
  private onText: () => void = () => {}

  constructor(...args: string[]) {
    const alone = args[0] === 'download' || args[0] === 'seed' ? ALONE : []
    stateDirectory ??= mkdtempSync(join(tmpdir(), 'lt-state-'))
    const env = { ...process.env, LT_STATE_DIR: stateDirectory }
    this.process = spawn(process.execPath, [SCRIPT, ...args, ...alone], { env })
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.onText()
    })
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.onText()
    })
    this.exited = new Promise((resolve) => {
      this.process.on('close', (code, signal) => resolve(code ?? signal ?? -1))
    })
    onTestFinished(() => {
      this.process.kill('SIGKILL')
    })
  }

  /** Runs to the end. */
  static async run(...args: string[]): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
    const lt = new Lt(...args)
    const code = await lt.exited
    return { code, stdout: lt.stdout, stderr: lt.stderr }
  }

  /** The JSON lines so far. */
  get lines(): Line[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
  }

  /** The first JSON line that `matches`; fails when the process ends without one. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    let over = false
    const ended = this.exited.then(() => {
      over = true
    })
    for (;;) {
      const found = this.lines.find(matches)
      if (found !== undefined) return found
      if (over) throw new Error(`no such line before the end:\n${this.stdout}\n${this.stderr}`)
      const more = new Promise<void>((resolve) => {
        this.onText = resolve
      })
      await Promise.race([more, ended])
    }
  }

  event(type: string): Promise<Line> {
    return this.line((line) => line.type === type)
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }
}
