import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { Session } from '../../../src/api/session.ts'
import { ALONE } from '../../alone.ts'
import { download, openLeecher } from './download.ts'

const program = 'nginx'
const installed = spawnSync(program, ['-v']).error === undefined
if (!installed) console.warn('nginx is not installed (apt install nginx-light): its tests are skipped')

const KIB = 1024
const torrent = new TestTorrent({
  files: [
    { path: 'dir/large file.bin', size: 2_000_000 },
    { path: 'dir/ünicode & co.txt', size: 70_000 },
    { path: 'tiny', size: 3 },
    { path: '100%.html', size: 50_000 },
  ],
  pieceLength: 64 * KIB,
})

/** Locations below which the files are, and what is odd about them. */
const LOCATIONS = `
  location /plain/ { alias ROOT/; }
  location /gzip/ { alias ROOT/; gzip on; gzip_types *; gzip_min_length 1; }
  location /noranges/ { alias ROOT/; max_ranges 0; }
  location /short/ { alias ROOT/; keepalive_requests 2; }
  location /once/ { alias ROOT/; keepalive_timeout 0; }
  location /moved/ { rewrite ^/moved/(.*)$ /plain/$1 permanent; }
  location /login/ { alias ROOT/; auth_basic "x"; auth_basic_user_file DIRECTORY/users; }
  location /page/ { alias DIRECTORY/empty/; error_page 404 =200 /sorry.html; }
  location /sorry.html { alias DIRECTORY/sorry.html; }
  location /slow/ { alias ROOT/; limit_rate 2m; }
  location /busy/ { alias ROOT/; limit_req zone=one; limit_req_status 503; }
`

describe.skipIf(!installed)('nginx', () => {
  let port = 0
  let child: ChildProcess
  let directory = ''

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'nginx-'))
    // Started by root its workers are somebody else.
    chmodSync(directory, 0o755)
    const root = join(directory, 'root')
    for (const file of torrent.files) {
      const path = join(root, file.path)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, torrent.fileContent(file))
    }
    mkdirSync(join(directory, 'empty'))
    writeFileSync(join(directory, 'sorry.html'), '<h1>Sorry</h1>')
    writeFileSync(join(directory, 'users'), 'me:{PLAIN}secret\n')
    port = await freePort()
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${directory}/${kind};`,
    )
    const config = `
      daemon off; pid ${directory}/pid; error_log ${directory}/error.log;
      events { worker_connections 100; }
      http {
        access_log off; ${temporary.join(' ')}
        limit_req_zone $binary_remote_addr zone=one:1m rate=1r/s;
        server { listen 127.0.0.1:${port}; ${LOCATIONS.replaceAll('ROOT', root).replaceAll('DIRECTORY', directory)} }
      }`
    writeFileSync(join(directory, 'nginx.conf'), config)
    child = spawn(program, ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], {
      stdio: 'ignore',
    })
    for (let i = 0; i < 200; i++) {
      const answer = await fetch(`http://127.0.0.1:${port}/sorry.html`).catch(() => null)
      if (answer?.ok) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error('nginx does not answer')
  })

  afterAll(async () => {
    if (child !== undefined) {
      child.kill()
      await new Promise((resolve) => child.once('exit', resolve))
    }
    rmSync(directory, { recursive: true, force: true })
  })

  const settings = { urlseedMaxRequestBytes: 256 * KIB, urlseedWaitRetry: 1, urlseedPipelineSize: 2 }
  const seedUrl = (location: string, login = '') => `http://${login}127.0.0.1:${port}/${location}/`

  test.each(['plain', 'gzip', 'noranges', 'short', 'once', 'moved', 'slow'])(
    'gives everything from /%s/',
    async (name) => {
      const leecher = await download(openLeecher(torrent, seedUrl(name), { settings }))
      expect([leecher.isDone, leecher.isCorrect, leecher.troubles]).toEqual([true, true, []])
      expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
    },
  )

  test('is all a session needs', async () => {
    const session = new Session({
      settings: { ...ALONE, listenInterfaces: '127.0.0.1:0' },
      disk: { poolBytes: 4 << 20 },
    })
    const finished = new Promise<void>((resolve) => session.once('torrentFinished', () => resolve()))
    const savePath = join(directory, 'downloaded')
    session.addTorrent({ ti: torrent.info(), savePath, urlSeeds: [seedUrl('plain')] })
    await finished
    await session.abort()
    for (const file of torrent.files) {
      expect(readFileSync(join(savePath, file.path)).equals(torrent.fileContent(file))).toBe(true)
    }
  })

  test('is let in with a password, and not without', async () => {
    expect((await download(openLeecher(torrent, seedUrl('login', 'me:secret@'), { settings }))).isCorrect).toBe(true)
    const leecher = await download(openLeecher(torrent, seedUrl('login'), { settings }))
    expect(leecher.seed.state).toMatchObject({ name: 'disabled', error: { value: 401 } })
  })

  test('error pages with status 200 are not taken for files', async () => {
    const leecher = await download(openLeecher(torrent, seedUrl('page'), { settings }))
    expect(leecher.blocks.size).toBe(0)
    expect(leecher.seed.state.name).toBe('disabled')
  })

  test('a server that is too busy is asked again, less often', async () => {
    const leecher = openLeecher(torrent, seedUrl('busy'), { settings })
    await new Promise<void>((resolve) => {
      leecher.onTroubled = () => leecher.blocks.size > 0 && resolve()
      leecher.seed.pump()
    })
    expect(leecher.troubles[0]).toMatchObject({ error: { value: 503 }, retryIn: 1 })
    expect(leecher.isCorrect).toBe(true)
    leecher.seed.close()
    expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
