import { describe, expect, test } from 'vitest'
import { systemError } from '../../../src/errors/libtorrentError.ts'
import { decodeSearchAnswer } from '../../../src/portmap/ssdp.ts'
import { fromLatin1 } from '../../../src/util/bytes.ts'
import { description, fault, type PortmapScene, portmapScene, soap, ssdpAnswer } from '../../unit/portmap/fakes.ts'
import { httpOk } from '../../unit/tracker/fakes.ts'

const ROUTER = { address: '192.168.1.1', port: 1900 }
const DESCRIPTION = 'http://192.168.1.1:5000/desc.xml'

function search(settings = {}): PortmapScene {
  const scene = portmapScene(settings)
  scene.mapper.addMapping('tcp', 6881, 6881)
  scene.mapper.startUpnp()
  scene.time.pass(10)
  return scene
}

function found(): PortmapScene {
  const scene = search()
  scene.localNetwork.deliver(0, ssdpAnswer(DESCRIPTION), ROUTER)
  return scene
}

const location = (url: string, from = '192.168.1.1') => decodeSearchAnswer(fromLatin1(ssdpAnswer(url)), from)

describe('a forged answer to a search aims our requests nowhere (SSRF)', () => {
  test.each([
    'http://127.0.0.1:6379/',
    'http://localhost/desc.xml',
    'http://169.254.169.254/latest/meta-data/',
    'http://192.168.1.7/admin?reboot=1',
    'http://192.168.1.1.evil.example/desc.xml',
    'http://router.lan/desc.xml',
    'http://192.168.1.1@192.168.1.7/',
    'http://user:pass@192.168.1.1/',
    'https://192.168.1.1/',
    'ftp://192.168.1.1/',
    'file:///etc/passwd',
    'http://[::ffff:192.168.1.1]/',
    'http://192.168.1.1:0/',
    'http://192.168.1.1:25/',
    'http://192.168.1.1:6379/',
    'http://192.168.1.1:99999/',
    '/desc.xml',
    '',
    `http://192.168.1.1/${'a'.repeat(600)}`,
  ])('%s is not believed', (url) => {
    expect(location(url)).toBeNull()
  })

  test('other ways of writing the same address are that address', () => {
    expect(location('http://3232235777/x')?.hostname).toBe('192.168.1.1')
    expect(location('http://2130706433/x', '192.168.1.1')).toBeNull()
  })

  test.each([
    ['another network', '10.0.0.1', 'http://10.0.0.1/desc.xml'],
    ['the internet', '8.8.8.8', 'http://8.8.8.8/desc.xml'],
    ['this machine', '192.168.1.2', 'http://192.168.1.2/desc.xml'],
    ['loopback', '127.0.0.1', 'http://127.0.0.1/desc.xml'],
  ])('an answer from %s is ignored', (_, address, url) => {
    const scene = search()
    scene.localNetwork.deliver(0, ssdpAnswer(url), { address, port: 1900 })
    expect(scene.http.gets).toEqual([])
  })

  test('the description is fetched without redirects, with a limit, from the device only, and from our own address', () => {
    const { request } = found().http.next()
    expect(request).toMatchObject({ url: DESCRIPTION, maxRedirects: 0, localAddress: '192.168.1.2' })
    expect(request.maxBodyBytes).toBeLessThanOrEqual(256 * 1024)
    expect(request.completionTimeout).toBeLessThanOrEqual(30_000)
    expect(request.checkAddress?.('192.168.1.1', request.url)).toBeNull()
    for (const address of ['127.0.0.1', '192.168.1.7', '::1', '8.8.8.8']) {
      expect(request.checkAddress?.(address, request.url)?.code).toBe('ssrfMitigation')
    }
  })

  test.each([
    'http://127.0.0.1/ctl',
    'http://192.168.1.7/ctl',
    '//192.168.1.7/ctl',
    'https://192.168.1.1/ctl',
    'http://192.168.1.1:22/ctl',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])('a control URL of %s is not called', (url) => {
    const scene = found()
    scene.http.next().answer(httpOk(description(url)))
    for (const { request } of scene.http.gets) expect(new URL(request.url).host).toMatch(/^192\.168\.1\.1(:5000)?$/)
  })

  test('nor is one relative to a URLBase that leads away', () => {
    const scene = found()
    scene.http.next().answer(httpOk(description('/ctl', '<URLBase>http://192.168.1.7/</URLBase>')))
    expect(scene.http.next().request.url).toBe('http://192.168.1.1:5000/ctl')
  })
})

describe('floods', () => {
  test('ten thousand answers make a bounded number of requests', () => {
    const scene = search()
    for (let i = 0; i < 10_000; i++) {
      const address = `192.168.1.${10 + (i % 200)}`
      scene.localNetwork.deliver(0, ssdpAnswer(`http://${address}:5000/${i}`), { address, port: 1900 })
    }
    expect(scene.http.open.size).toBeLessThanOrEqual(4)
    while (scene.http.open.size > 0) scene.http.next().answer(httpOk('', 404))
    expect(scene.http.gets.length).toBeLessThanOrEqual(50)
  })

  test('one address with a thousand descriptions has four of them read', () => {
    const scene = search()
    for (let i = 0; i < 1000; i++)
      scene.localNetwork.deliver(0, ssdpAnswer(`http://192.168.1.9:5000/${i}`), { address: '192.168.1.9', port: 1900 })
    while (scene.http.open.size > 0) scene.http.next().answer(httpOk('', 404))
    expect(scene.http.gets).toHaveLength(4)
  })

  test('devices that keep us waiting do not keep the gateway from being asked', () => {
    const scene = search()
    for (let i = 10; i < 60; i++) {
      const address = `192.168.1.${i}`
      scene.localNetwork.deliver(0, ssdpAnswer(`http://${address}/slow`), { address, port: 1900 })
    }
    // Fifty devices are known; a gateway among the first of them is asked at once.
    expect(scene.http.open.size).toBe(4)
    const early = search()
    for (let i = 10; i < 50; i++) {
      const address = `192.168.1.${i}`
      early.localNetwork.deliver(0, ssdpAnswer(`http://${address}/slow`), { address, port: 1900 })
    }
    early.localNetwork.deliver(0, ssdpAnswer(DESCRIPTION), ROUTER)
    expect([...early.http.open].some(({ request }) => request.url === DESCRIPTION)).toBe(true)
  })

  test('a router that refuses everything for ever is asked a few times an hour', () => {
    const scene = found()
    scene.http.next().answer(httpOk(description()))
    for (const code of [718, 725, 501, 724, 402]) {
      for (let second = 0; second < 3600; second++) {
        while (scene.http.open.size > 0) scene.http.next().answer(httpOk(fault(code), 500))
        scene.time.pass(1000)
      }
    }
    expect(scene.http.gets.length).toBeLessThan(100)
    expect(scene.failed).toHaveLength(1)
  })

  test('a router that says a new external port with each renewal is renewed no more often for it', () => {
    const scene = portmapScene({ upnpLeaseDuration: 1 })
    scene.mapper.addMapping('tcp', 6881, 6881)
    scene.mapper.startUpnp()
    scene.time.pass(10)
    scene.localNetwork.deliver(0, ssdpAnswer(DESCRIPTION), ROUTER)
    scene.http.next().answer(httpOk(description().replace('Connection:1', 'Connection:2')))
    let port = 1000
    for (let second = 0; second < 3600; second++) {
      while (scene.http.open.size > 0)
        scene.http.next().answer(httpOk(soap(`<NewReservedPort>${port++}</NewReservedPort>`)))
      scene.time.pass(1000)
    }
    expect(scene.http.gets.length).toBeLessThanOrEqual(2 + 3600 / 30 + 2)
  })
})

describe('documents of a device', () => {
  const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from(
    { length: 9 },
    (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`,
  ).join('')}]><root><device><modelName>&lol9;</modelName></device></root>`
  const xxe =
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY % d SYSTEM "http://192.168.1.7/d"> %d;]>'

  test.each([
    ['billion laughs', laughs],
    ['an external entity', `${xxe}<root><device><modelName>&x;</modelName></device></root>`],
    ['a hundred thousand open tags', '<a>'.repeat(80_000)],
    ['a hundred thousand closing tags', `<root>${'</b>'.repeat(60_000)}`],
    ['one tag with all the attributes', `<root ${Array.from({ length: 20_000 }, (_, i) => `a${i}=""`).join(' ')}/>`],
    ['__proto__ as a name', '<__proto__ __proto__="polluted"><constructor>1</constructor></__proto__>'],
    ['an endless text', `<root><modelName>${'x'.repeat(250_000)}`],
    ['an endless name', `<${'x'.repeat(250_000)}`],
    ['nothing', ''],
    ['no XML at all', '\u0000\u0001{"json": true}'],
    ['ten thousand entities', `<root><modelName>${'&#65;'.repeat(40_000)}</modelName></root>`],
    [
      'ten thousand services',
      `<root>${'<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>http://192.168.1.7/</controlURL></service>'.repeat(1500)}</root>`,
    ],
  ])('%s: read in no time, and the device is of no use', (_, text) => {
    const scene = found()
    scene.http.next().answer(httpOk(text))
    expect(scene.http.open.size).toBe(0)
    expect(scene.mapper.routerModel).toBe('')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    for (const line of scene.lines) expect(line.length).toBeLessThanOrEqual(300)
  })

  test('neither a model, nor an error, nor a log line has control characters or is long', () => {
    const scene = found()
    scene.http
      .next()
      .answer(
        httpOk(description().replace('Acme', `\u001b]0;pwned\u0007<![CDATA[${'\u202e<img src=x>'.repeat(100)}]]>`)),
      )
    const { routerModel } = scene.mapper
    expect(routerModel.length).toBeLessThanOrEqual(100)
    scene.http.next().answer(httpOk(soap('')))
    scene.http
      .next()
      .answer(
        httpOk(
          fault(402).replace(
            '</errorCode>',
            `</errorCode><errorDescription>\u001b[2J${'A'.repeat(5000)}</errorDescription>`,
          ),
          500,
        ),
      )
    for (const text of [routerModel, ...scene.lines, ...scene.failed.map(({ error }) => error.message)]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      expect(text.length).toBeLessThanOrEqual(300)
    }
  })

  test.each([
    ['not XML', httpOk('nonsense', 200)],
    ['HTML', { ...httpOk('<html>login</html>'), headers: { 'content-type': 'text/html' } }],
    ['status 500 without a code', httpOk(soap(''), 500)],
    ['status 301', httpOk('', 301)],
    ['a broken connection', systemError({ code: 'ECONNRESET', message: 'reset' })],
  ])('a router whose answers are %s is given up after three', (_, reply) => {
    const scene = found()
    scene.http.next().answer(httpOk(description()))
    scene.time.pass(0)
    for (let second = 0; second < 25; second++) {
      while (scene.http.open.size > 0) scene.http.next().answer(reply)
      scene.time.pass(1000)
    }
    expect(scene.mapped).toEqual([])
    expect(scene.http.gets.length).toBeLessThanOrEqual(1 + 3)
  })

  test.each(['0', '-1', '65536', '1e3', 'x', '', '99999999999999999999'])('%s is no reserved port', (port) => {
    const scene = found()
    scene.http.next().answer(httpOk(description().replace('Connection:1', 'Connection:2')))
    scene.http.next().answer(httpOk(soap('')))
    scene.http.next().answer(httpOk(soap(`<NewReservedPort>${port}</NewReservedPort>`)))
    expect(scene.mapped.every(({ externalPort }) => externalPort >= 1 && externalPort <= 65535)).toBe(true)
  })

  test.each(['evil.example', '::1', '0.0.0.0', '1.2.3', '<b>', '1.2.3.4.5', ' '])(
    '%s is no external address',
    (address) => {
      const scene = found()
      scene.http.next().answer(httpOk(description()))
      scene.http.next().answer(httpOk(soap(`<NewExternalIPAddress>${address}</NewExternalIPAddress>`)))
      expect(scene.addresses).toEqual([])
    },
  )
})
