// WebTorrent in Chromium, behind the line protocol of ../libtorrentDaemon.py: the commands start, add, status and quit.
// One torrent of one file, whose tracker is the only way to a peer. No STUN server is asked.
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const [, , executablePath, workDir] = process.argv
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const BUNDLE = here('../../node_modules/webtorrent/dist/webtorrent.min.js')
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Addresses as they are: nobody resolves `.local` names here.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--force-webrtc-ip-handling-policy=default_public_and_private_interfaces',
]

const profile = mkdtempSync(join(workDir, 'profile-'))
let context = null
let page = null
/** The .torrent, and where its file is or is to be. */
let torrent = ''
let contentPath = ''

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    const parts = []
    for await (const part of request) parts.push(part)
    writeFileSync(contentPath, Buffer.concat(parts))
    return response.end()
  }
  const files = { '/': here('./page.html'), '/webtorrent.min.js': BUNDLE, '/torrent': torrent, '/content': contentPath }
  const path = files[request.url ?? '']
  if (path === undefined || !existsSync(path)) return response.writeHead(404).end()
  const type = path.endsWith('.html')
    ? 'text/html'
    : path.endsWith('.js')
      ? 'text/javascript'
      : 'application/octet-stream'
  response.writeHead(200, { 'content-type': type }).end(readFileSync(path))
})

const commands = {
  start: async ({ port }) => {
    context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGUMENTS })
    page = context.pages()[0] ?? (await context.newPage())
    page.on('console', (message) => process.stderr.write(`console: ${message.text()}\n`))
    page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack}\n`))
    let loaded = () => {}
    const isLoaded = new Promise((resolve) => {
      loaded = resolve
    })
    await page.exposeFunction('say', (message) => (message.event === 'page' ? loaded() : say(message)))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await isLoaded
    return { port }
  },

  add: async ({ source, savePath, name, size }) => {
    torrent = source
    contentPath = join(savePath, name)
    const seeds = existsSync(contentPath) && statSync(contentPath).size === size
    await page.evaluate((fields) => window.add(fields), { torrent: '/torrent', size, seeds })
    return { torrent: 0 }
  },

  status: () => page.evaluate(() => window.status()),

  quit,
}

async function quit() {
  await context?.close().catch(() => {})
  process.exit(0)
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, cmd, ...fields } = JSON.parse(line)
    try {
      say({ id, ok: true, ...(await commands[cmd](fields)) })
    } catch (error) {
      say({ id, error: error.message })
    }
  })
  .on('close', quit)

say({ event: 'ready' })
