import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Lt } from './lt.ts'

const INFO_HASH = 'b'.repeat(40)
const COUNTS = 'd8:completei3e10:downloadedi7e10:incompletei2ee'
/** Long enough that nobody is asked before the session is there. */
const SESSION_MS = 300

const destination = Buffer.alloc(391, 7).toString('base64').replaceAll('+', '-').replaceAll('/', '~')

/** The SAM bridge of a router, behind which every name is a tracker that knows one torrent. */
async function samBridge(): Promise<{ readonly port: number; readonly commands: string[] }> {
  const commands: string[] = []
  const answer = (line: string, socket: Socket): void => {
    const [first, second] = line.split(' ')
    const name = /NAME=(\S+)/.exec(line)?.[1]
    commands.push(name === undefined ? `${first} ${second}` : `${first} ${second} ${name}`)
    if (first === 'HELLO') socket.write('HELLO REPLY RESULT=OK VERSION=3.1\n')
    else if (first === 'NAMING') socket.write(`NAMING REPLY RESULT=OK NAME=${name} VALUE=${destination}\n`)
    else if (first === 'SESSION') {
      setTimeout(() => socket.write(`SESSION STATUS RESULT=OK DESTINATION=${destination}\n`), SESSION_MS)
    } else socket.write('STREAM STATUS RESULT=OK\n')
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (!text.startsWith('GET ')) return answer(text.trimEnd(), socket)
      commands.push(text.slice(0, text.indexOf('?')))
      const body = `d5:filesd20:${Buffer.from(INFO_HASH, 'hex').toString('latin1')}${COUNTS}ee`
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, commands }
}

test('scrape --i2p waits for the session with the router, and asks a tracker there', async () => {
  const { port, commands } = await samBridge()
  const url = 'http://tracker.i2p/announce'
  const result = await Lt.run('scrape', INFO_HASH, '--tracker', url, '--i2p', `127.0.0.1:${port}`)
  expect(result).toEqual({ code: 0, stdout: `${url}  3 seeds, 2 peers, 7 downloads\n`, stderr: '' })
  expect(commands.slice(0, 3)).toEqual(['HELLO VERSION', 'SESSION CREATE', 'NAMING LOOKUP ME'])
  expect(commands).toContain('NAMING LOOKUP tracker.i2p')
  expect(commands.at(-1)).toBe('GET /scrape')
})

test('scrape --i2p with no router there says so, and ends', async () => {
  const url = 'http://tracker.i2p/announce'
  const { code, stderr } = await Lt.run('scrape', INFO_HASH, '--tracker', url, '--i2p', '127.0.0.1:1')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lt: warning: I2P router 127\.0\.0\.1:1: .*connection refused\. It is tried again\.$/m)
  expect(stderr).toMatch(/^lt: warning: Tracker http:\/\/tracker\.i2p\/announce: /m)
})
