import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Lt } from './lt.ts'
import { makeContent, temporaryDirectory } from './scene.ts'

/** Serves `bodies` by path, with a content type for those that begin with `<`. */
async function serve(bodies: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1)
    const body = bodies[path]
    if (path === 'moved') response.writeHead(302, { location: '/torrent' })
    else if (body === undefined) response.writeHead(404)
    else if (typeof body === 'string') response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

test.each([
  [[]],
  [['frobnicate']],
  [['download']],
  [['download', 'x', '--frobnicate']],
  [['download', 'x', '--port', '99999']],
  [['download', 'x', '--peer', 'nowhere']],
  [['download', 'x', '--seed-time', 'soon']],
  [['download', 'x', '--i2p', ':7656']],
  [['seed', 'x', '--i2p-mixed']],
  [['seed', 'x', '--limit-up', '0']],
  [['download', 'x', '--encryption', 'on']],
  [['seed', 'x', '--encryption-level', 'aes']],
  [['create', 'x', '--piece-size', 'large']],
  [['info', 'x', 'y']],
])('bad usage %j exits with 2, and with words on stderr only', async (args) => {
  const { code, stdout, stderr } = await Lt.run(...args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).not.toBe('')
  expect(stderr).not.toMatch(/^ {4}at /m)
})

test.each([
  [
    ['download', 'a.torrent', 'downloads'],
    /^lt: Too many arguments for 'download'.* --output.*quotes\. See lt download --help\.\n$/,
  ],
  [['create', 'a', 'b'], /^lt: Too many arguments for 'create'.* one directory; .*quotes\. See lt create --help\.\n$/],
  [['--debug', 'info', 'x'], /^lt: Unknown option '--debug'\. Options follow the command\. See lt info --help\.\n/],
  [['download'], /^lt: Missing required argument 'torrent'\. See lt download --help\.\n$/],
  [['downlod', 'x'], /^lt: Unknown command 'downlod'\. \(Did you mean download\?\) See lt --help\.\n$/],
  [
    ['download', 'x', '--encryption', 'on'],
    /^lt: Option '--encryption <policy>' argument 'on' is invalid\. Allowed choices are forced, enabled, disabled\. See lt download --help\.\n$/,
  ],
  [
    ['download', 'x', '--limit-down', 'fast'],
    /^lt: Option '--limit-down <rate>' argument 'fast' is invalid\. A rate is a number of bytes a second, at least 1, or like 500K or 2M\. See lt download --help\.\n$/,
  ],
  [
    ['seed', 'x', '--encryption', 'disabled', '--encryption-level', 'rc4'],
    /^lt: --encryption-level says how much is encrypted, and with --encryption disabled nothing is\. Leave one out\.\n$/,
  ],
  [
    ['seed', 'x', '--transport', 'udp'],
    /^lt: Option '--transport <kind>' argument 'udp' is invalid\. Allowed choices are tcp, utp, both\. See lt seed --help\.\n$/,
  ],
  [
    ['download', 'x', '--transport', 'utp', '--proxy', 'http://127.0.0.1:8080'],
    /^lt: --transport utp needs a proxy that carries UDP: --proxy socks5:\/\/\.\.\. or socks5h:\/\/\.\.\.\n$/,
  ],
  [
    ['download', 'x', '--proxy', 'https://127.0.0.1:8080'],
    /^lt: Option '--proxy <url>' .* not spoken to by TLS.* See lt download --help\.\n$/,
  ],
  [
    ['download', 'x', '--i2p', 'not a host'],
    /^lt: Option '--i2p <host:port>' .* SAM bridge of an I2P router, .*\. See lt download --help\.\n$/,
  ],
  [['scrape', 'x', '--i2p', '127.0.0.1:70000'], /^lt: Option '--i2p <host:port>' .* See lt scrape --help\.\n$/],
  [['seed', 'x', '--i2p-mixed'], /^lt: --i2p-mixed takes an I2P router: name its SAM bridge with --i2p\.\n$/],
  [
    ['seed', 'x', '--interface', '!'],
    /^lt: Option '--interface <name>' .* address, or the name of a network device\. See lt seed --help\.\n$/,
  ],
  [['seed', 'x', '--key', 'k'], /^lt: --key belongs to a certificate: give that with --cert\.\n$/],
  [
    ['seed', 'x', '--key-passphrase', 'p'],
    /^lt: --key-passphrase belongs to a certificate: give that with --cert\.\n$/,
  ],
  [['dht', 'publish', 'x'], /^lt: Required option '--key <path>' not specified\. See lt dht publish --help\.\n$/],
  [['dht', 'publsh', 'x'], /^lt: Unknown command 'publsh'\. \(Did you mean publish\?\) See lt dht --help\.\n$/],
  [
    ['seed', 'x', '--port', 'a'],
    /^lt: Option '--port <n>' .* A port is a number from 0 to 65535\. See lt seed --help\.\n$/,
  ],
])('bad usage %j is told in one line that says what to do', async (args, words) => {
  expect((await Lt.run(...args)).stderr).toMatch(words)
})

test('with --json bad usage too is an object on stderr', async () => {
  const { code, stdout, stderr } = await Lt.run('info', '--json')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(JSON.parse(stderr)).toEqual({
    type: 'error',
    message: "Missing required argument 'torrent'. See lt info --help.",
  })
})

test('with --json --debug what is said on stderr is objects as well', async () => {
  const { code, stderr } = await Lt.run('info', '/nowhere/x.torrent', '--json', '--debug')
  expect(code).toBe(1)
  expect(JSON.parse(stderr)).toMatchObject({
    type: 'error',
    stack: expect.arrayContaining([expect.stringMatching(/^ {4}at /)]),
  })
})

test('a device that is not there, and forceProxy without a proxy, leave nobody to wonder', async () => {
  const content = await makeContent({ single: 20_000 })
  const warning = async (...options: string[]) => {
    const seed = new Lt('seed', content.torrent, '-o', content.directory, '--json', ...options)
    return (await seed.event('warning')).message
  }
  expect(await warning('--interface', 'absent0')).toMatch(
    /^--interface absent0: this machine has no such device or address now\./,
  )
  expect(await warning('--set', 'forceProxy=true')).toMatch(
    /^Nothing may be connected to without a proxy .* --proxy\.$/,
  )
})

test('a list of addresses that is none, and a certificate that is none, end the command', async () => {
  const content = await makeContent({ single: 20_000 })
  const list = join(temporaryDirectory(), 'list.txt')
  writeFileSync(list, 'no addresses\n')
  const seed = await Lt.run('seed', content.torrent, '-o', content.directory, '--ip-filter', list)
  expect(seed.code).toBe(1)
  expect(seed.stderr).toMatch(/^lt: --ip-filter .* cannot be used: it is no list of addresses\..*\n$/)
  const made = await Lt.run('create', content.directory, '-o', `${list}.torrent`, '--root-cert', list)
  expect(made.code).toBe(1)
  expect(made.stderr).toMatch(/^lt: --root-cert .*: this is no certificate in PEM form\.\n$/)
})

test('help and version are no failures', async () => {
  expect(await Lt.run('--help')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('download') })
  expect(await Lt.run('create', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--piece-size') })
  expect(await Lt.run('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

test('what cannot be read is told in one line, with a stack trace for --debug only', async () => {
  const plain = await Lt.run('info', '/nowhere/x.torrent')
  expect(plain).toMatchObject({ code: 1, stdout: '', stderr: 'lt: /nowhere/x.torrent: no such file or directory\n' })
  const json = await Lt.run('info', '/nowhere/x.torrent', '--json')
  expect(json).toMatchObject({ code: 1, stdout: '' })
  expect(JSON.parse(json.stderr)).toEqual({ type: 'error', message: '/nowhere/x.torrent: no such file or directory' })
  expect((await Lt.run('info', '/nowhere/x.torrent', '--debug')).stderr).toMatch(/^ {4}at /m)
})

test('what is no torrent is told as such', async () => {
  const directory = temporaryDirectory()
  const file = join(directory, 'x.torrent')
  writeFileSync(file, '<html>')
  for (const [source, words] of [
    [file, 'this is no valid .torrent: invalid bencoding'],
    [directory, 'it is a directory'],
    ['http://', 'http://: this is no valid URL. It looks like http://host/file.torrent.'],
    ['magnet:?dn=x', 'This magnet link cannot be used: '],
    [`magnet:?xt=urn:btmh:1220${'ab'.repeat(32)}`, 'version 2 only'],
  ]) {
    const { code, stderr } = await Lt.run('download', source, '--output', directory, '--port', '0')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(words) })
  }
})

test('--output that is no directory is told before anything is done', async () => {
  const content = await makeContent({ single: 10 })
  const { code, stderr } = await Lt.run('download', content.torrent, '-o', content.torrent, '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toBe(`lt: --output ${content.torrent} is not a directory.\n`)
})

test('--output that cannot be made is told before the first peer', async () => {
  const content = await makeContent({ single: 10 })
  const directory = join(content.torrent, 'sub')
  const { code, stderr } = await Lt.run('download', content.torrent, '-o', directory, '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toBe(
    `lt: --output ${directory} cannot be written to: a part of the path is not a directory. Choose another directory.\n`,
  )
})

test('a peer whose name is not known is told', async () => {
  const content = await makeContent({ single: 10 })
  const { code, stderr } = await Lt.run('download', content.torrent, '--peer', 'nobody.invalid:6881')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lt: --peer nobody\.invalid: the host name .*\. Check the name/)
})

test('a URL is fetched, redirects included', async () => {
  const content = await makeContent({ single: 10 })
  const url = await serve({ torrent: new Uint8Array(readFileSync(content.torrent)) })
  for (const path of ['torrent', 'moved']) {
    const { code, stdout } = await Lt.run('info', `${url}/${path}`, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ name: 'single', infoHash: `${content.info.infoHash}` })
  }
})

test('a URL that gives something else is told with what to do', async () => {
  const url = await serve({ page: '<!doctype html><title>Log in', huge: new Uint8Array(11 * 1024 * 1024) })
  for (const [path, words] of [
    ['page', 'the server answered with a web page, not a .torrent. Download the .torrent with a browser'],
    ['huge', 'the answer is larger than 10 MB: no .torrent'],
    ['none', 'the server answered 404: there is nothing at this address.'],
  ]) {
    const { code, stderr } = await Lt.run('info', `${url}/${path}`)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(words) })
  }
  expect((await Lt.run('info', 'http://127.0.0.1:2/x')).stderr).toBe('lt: http://127.0.0.1:2/x: connection refused\n')
})

test('with --interface the .torrent itself is fetched from there, and not at all while there is no such device', async () => {
  const content = await makeContent({ single: 1000 })
  const askers: (string | undefined)[] = []
  const server = createServer((request, response) => {
    askers.push(request.socket.remoteAddress)
    response.end(readFileSync(content.torrent))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x.torrent`
  const fetched = (name: string) =>
    Lt.run('download', url, '-o', content.directory, '--no-seed', '--port', '0', '--interface', name)
  const { code, stderr } = await fetched('nodevice0')
  expect([code, askers]).toEqual([1, []])
  expect(stderr).toMatch(/^lt: http.*: --interface nodevice0: this machine has no such device or address now\.\n$/)
  expect([(await fetched('127.0.0.2')).code, askers]).toEqual([0, ['127.0.0.2']])
})
