import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { addressToBytes } from '../../../src/address/addressBytes.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { NodeLocalNetwork } from '../../../src/node/nodeLocalNetwork.ts'
import { NodeXml } from '../../../src/node/nodeXml.ts'
import type { DefaultRoute, MulticastOptions } from '../../../src/platform/localNetwork.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { fromUtf8, utf8 } from '../../../src/util/bytes.ts'
import { response, textOf } from '../tracker/get.ts'
import { afterThisTest, httpServer } from '../tracker/servers.ts'

const network = new NodeLocalNetwork()
const loopback = { name: 'lo', address: '127.0.0.1', prefixLength: 8 }
const GROUP = '239.192.152.143'

interface Opened {
  readonly socket: UdpSocket
  readonly heard: { readonly text: string; readonly from: Endpoint }[]
}

async function open(changes: Partial<MulticastOptions>): Promise<Opened> {
  const heard: Opened['heard'] = []
  const options = { networkInterface: loopback, group: null, port: 0, ttl: 1, ...changes }
  const handler = {
    onPacket: (packet: Uint8Array, from: Endpoint) => heard.push({ text: fromUtf8(packet), from }),
    onError: () => {},
  }
  const result = await new Promise<UdpSocket | LibtorrentError>((done) => network.bindMulticast(options, handler, done))
  if (result instanceof LibtorrentError) throw result
  afterThisTest(() => result.close())
  return { socket: result, heard }
}

test('interfaces have canonical addresses and the length of their prefix', () => {
  const interfaces = network.interfaces()
  expect(interfaces).toContainEqual(expect.objectContaining({ address: '127.0.0.1', prefixLength: 8 }))
  for (const { address, prefixLength } of interfaces) {
    const bytes = addressToBytes(address)
    expect(bytes).not.toBeNull()
    expect(address).not.toContain('%')
    expect(prefixLength).toBeLessThanOrEqual((bytes?.length ?? 0) * 8)
  }
})

test.runIf(process.platform === 'linux')("the default routes are those of the kernel's table", async () => {
  const routes = await new Promise<readonly DefaultRoute[]>((done) => network.defaultRoutes(done))
  const table = readFileSync('/proc/net/route', 'latin1')
  const lines = table.split('\n').filter((line) => /^\S+\t0{8}\t(?!0{8})\S{8}\t0003\t.*\t0{8}\t/.test(line))
  expect(routes).toHaveLength(lines.length)
})

test('two programs share the port of a group, and both hear what is sent to it, the sender too', async () => {
  const a = await open({ group: GROUP, port: 16_771 })
  const b = await open({ group: GROUP, port: 16_771 })
  a.socket.send(utf8('hello'), { address: GROUP, port: 16_771 })
  await expect.poll(() => [a.heard.length, b.heard.length]).toEqual([1, 1])
  expect(b.heard[0]).toEqual({ text: 'hello', from: { address: '127.0.0.1', port: 16_771 } })
})

test('a socket without a group sends to groups, and hears only what is sent to itself', async () => {
  const member = await open({ group: GROUP, port: 16_772 })
  const searcher = await open({})
  searcher.socket.send(utf8('search'), { address: GROUP, port: 16_772 })
  await expect.poll(() => member.heard.length).toBe(1)
  expect(searcher.heard).toEqual([])
  member.socket.send(utf8('here'), member.heard[0].from)
  await expect.poll(() => searcher.heard.map(({ text }) => text)).toEqual(['here'])
})

test('an address that is not ours is an error', async () => {
  const networkInterface = { name: 'eth9', address: '203.0.113.77', prefixLength: 24 }
  await expect(open({ networkInterface })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', operation: 'listen' })
  await expect(open({ networkInterface, group: GROUP, port: 16_773 })).rejects.toMatchObject({ operation: 'listen' })
})

test('an HTTP request with a body is a POST of it', async () => {
  const port = await httpServer((request, reply) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { method, headers } = request
      reply.end(JSON.stringify({ method, body, length: headers['content-length'], action: headers.soapaction }))
    })
  })
  const url = `http://127.0.0.1:${port}/ctl`
  const posted = await response(url, { body: utf8('<x/>'), headers: { SOAPAction: '"a#b"' } })
  expect(JSON.parse(textOf(posted))).toEqual({ method: 'POST', body: '<x/>', length: '4', action: '"a#b"' })
  expect(JSON.parse(textOf(await response(url)))).toEqual({ method: 'GET', body: '' })
})

test('XML is read by a library that is loaded with the first document', async () => {
  const heard: string[] = []
  const handler = {
    onOpen: (name: string) => heard.push(`<${name}>`),
    onText: (text: string) => heard.push(text),
    onClose: (name: string) => heard.push(`</${name}>`),
  }
  const complete = await new Promise((done) => new NodeXml().read('<s:a><b>1 &lt; 2</b></s:a>', handler, done))
  expect([complete, heard]).toEqual([true, ['<a>', '<b>', '1 < 2', '</b>', '</a>']])
})
