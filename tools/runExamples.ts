/**
 * Runs the programs of examples/ against each other on this machine: what one creates, another seeds, the others
 * download. Usage: `npm run examples`; exit code 1 when one fails or the content is not what it was.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TIMEOUT_MS = 60_000
const root = fileURLToPath(new URL('..', import.meta.url))
const started: ChildProcess[] = []

function start(example: string, ...args: string[]): { readonly process: ChildProcess; readonly output: () => string } {
  // Not by tsx's own command: that is a process with a child, which outlives it when it is killed.
  const command = ['--import', 'tsx', join(root, 'examples', example), ...args]
  const process = spawn(globalThis.process.execPath, command, { timeout: TIMEOUT_MS })
  started.push(process)
  let output = ''
  process.stdout?.on('data', (text) => (output += text))
  process.stderr?.on('data', (text) => (output += text))
  return { process, output: () => output }
}

async function run(example: string, ...args: string[]): Promise<void> {
  const { process, output } = start(example, ...args)
  const [code] = await once(process, 'close')
  if (code !== 0) throw new Error(`${example} ended with ${code}:\n${output()}`)
  console.log(`ok: ${example}`)
}

/** Resolves with what `pattern` finds in the output of a program. */
async function said(program: ReturnType<typeof start>, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = pattern.exec(program.output())
    if (found !== null) return found
    if (program.process.exitCode !== null)
      throw new Error(`it ended without a word of ${pattern}:\n${program.output()}`)
    await Promise.race([once(program.process.stdout!, 'data'), once(program.process, 'close')])
  }
}

async function expectSame(a: string, b: string): Promise<void> {
  if (!(await readFile(a)).equals(await readFile(b))) throw new Error(`${b} is not what ${a} is`)
}

const folder = await mkdtemp(join(tmpdir(), 'lt-examples-'))
const original = join(folder, 'original')
const content = join(original, 'content.bin')
const torrent = join(folder, 'content.torrent')
try {
  await mkdir(original)
  await writeFile(content, randomBytes(3_000_000))
  await run('createTorrent.ts', content, torrent, 'http://127.0.0.1:9/announce')

  const seed = start('seed.ts', torrent, original, '0')
  const [, port] = await said(seed, /seeding .* on port (\d+)/)
  await run('download.ts', torrent, join(folder, 'first'), `127.0.0.1:${port}`)
  await expectSame(content, join(folder, 'first/content.bin'))
  await run('alerts.ts', torrent, join(folder, 'second'), `127.0.0.1:${port}`)
  await expectSame(content, join(folder, 'second/content.bin'))
  const blocklist = join(folder, 'blocklist.txt')
  await writeFile(blocklist, '10.0.0.0/8\n2001:db8::/32\n')
  await run('privacy.ts', torrent, join(folder, 'third'), `127.0.0.1:${port}`, blocklist)
  await expectSame(content, join(folder, 'third/content.bin'))

  const closed = once(seed.process, 'close')
  seed.process.kill('SIGINT')
  await closed
  if (!/sent \d+ bytes/.test(seed.output())) throw new Error(`seed.ts did not end well:\n${seed.output()}`)
  console.log('ok: seed.ts')

  const node = start('dht.ts', 'node', '0')
  const [, address] = await said(node, /node at (\S+)/)
  const [, target] = await said(start('dht.ts', 'put', 'hello', address), /stored by 1 nodes at (\w+)/)
  await said(start('dht.ts', 'get', target, address), /found: hello/)
  console.log('ok: dht.ts')

  await run('webtorrent.ts', content, join(folder, 'fourth'))
  await expectSame(content, join(folder, 'fourth/content.bin'))
} finally {
  for (const process of started) process.kill('SIGKILL') // does nothing to those that have ended
  await rm(folder, { recursive: true })
}
