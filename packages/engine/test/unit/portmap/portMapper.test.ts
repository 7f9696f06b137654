import { describe, expect, test } from 'vitest'
import { systemError } from '../../../src/errors/libtorrentError.ts'
import { isMappedOn, mappingInterfaces } from '../../../src/portmap/mappingInterfaces.ts'
import { RouterEpoch } from '../../../src/portmap/routerEpoch.ts'
import { answerRefusal } from '../../../src/portmap/upnpRefusal.ts'
import { latin1 } from '../../../src/util/bytes.ts'
import { FakeRandom, httpOk } from '../tracker/fakes.ts'
import { description, fault, type PortmapScene, portmapScene, soap, ssdpAnswer } from './fakes.ts'

const ROUTER = { address: '192.168.1.1', port: 1900 }

/** Finds the router, whose first question is then for its address. */
function findRouter(scene: PortmapScene, controlUrl?: string): void {
  scene.mapper.startUpnp()
  scene.time.pass(10)
  scene.localNetwork.deliver(0, ssdpAnswer('http://192.168.1.1:5000/desc.xml'), ROUTER)
  scene.http.next().answer(httpOk(description(controlUrl)))
}

const action = (scene: PortmapScene) => scene.http.next().request.headers?.soapaction.split('#')[1]
const answer = (scene: PortmapScene, body = soap(''), status = 200) => scene.http.next().answer(httpOk(body, status))

describe('errors of a UPnP router', () => {
  test.each([
    [402, 'invalidArgument'],
    [714, 'valueNotInArray'],
    [715, 'sourceIpCannotBeWildcarded'],
    [716, 'externalPortCannotBeWildcarded'],
    [726, 'remoteHostMustBeWildcard'],
    [727, 'externalPortMustBeWildcard'],
    [606, 'upnp606'],
  ])('%i is reported as %s, and tried again half an hour later', (code, symbol) => {
    const scene = portmapScene()
    scene.mapper.addMapping('tcp', 6881, 6881)
    findRouter(scene)
    answer(scene)
    expect(action(scene)).toBe('AddPortMapping"')
    answer(scene, fault(code), 500)
    expect(scene.failed).toMatchObject([{ transport: 1, error: { category: 'upnp', value: code, code: symbol } }])
    expect(scene.http.open.size).toBe(0)
    scene.time.pass(30 * 60 * 1000)
    expect(action(scene)).toBe('AddPortMapping"')
    answer(scene)
    expect(scene.mapped).toMatchObject([{ externalPort: 6881 }])
  })

  test('a conflict is answered with four other ports, and then reported', () => {
    const scene = portmapScene()
    scene.mapper.addMapping('tcp', 6881, 6881)
    findRouter(scene)
    answer(scene)
    const ports: number[] = []
    for (let i = 0; i < 5; i++) {
      ports.push(
        Number(/<NewExternalPort>(\d+)</.exec(latin1(scene.http.next().request.body ?? new Uint8Array(0)))?.[1]),
      )
      answer(scene, fault(718), 500)
    }
    expect(ports[0]).toBe(6881)
    for (const port of ports.slice(1)) expect(port >= 40_000 && port < 50_000).toBe(true)
    expect(scene.failed).toMatchObject([{ error: { code: 'portMappingConflict', value: 718 } }])
    expect(scene.http.open.size).toBe(0)
  })

  test('724 is answered with the port of this machine, 725 with a lease for ever, 501 like a conflict', () => {
    const random = new FakeRandom()
    const refusal = {
      errorCode: 724,
      externalPort: 7000,
      localPort: 6881,
      refusals: 0,
      permanent: false,
      anyPort: false,
    }
    expect(answerRefusal(refusal, random)).toEqual({ do: 'retry', externalPort: 6881 })
    expect(answerRefusal({ ...refusal, externalPort: 6881 }, random)).toEqual({ do: 'fail' })
    expect(answerRefusal({ ...refusal, errorCode: 725 }, random)).toEqual({ do: 'retryPermanent' })
    expect(answerRefusal({ ...refusal, errorCode: 725, permanent: true }, random)).toEqual({ do: 'fail' })
    expect(answerRefusal({ ...refusal, errorCode: 501 }, random)).toMatchObject({ do: 'retry' })
    expect(answerRefusal({ ...refusal, errorCode: 718, refusals: 4 }, random)).toEqual({ do: 'fail' })
    expect(answerRefusal({ ...refusal, errorCode: 401, anyPort: true }, random)).toEqual({ do: 'retryPlain' })
  })
})

test('a router that gives no address on one of its connections is asked on the other', () => {
  const scene = portmapScene()
  scene.mapper.addMapping('tcp', 6881, 6881)
  scene.mapper.startUpnp()
  scene.time.pass(10)
  scene.localNetwork.deliver(0, ssdpAnswer('http://192.168.1.1:5000/desc.xml'), ROUTER)
  const service = (type: string) =>
    `<service><serviceType>urn:schemas-upnp-org:service:${type}:1</serviceType><controlURL>/${type}</controlURL></service>`
  scene.http.next().answer(httpOk(`<root>${service('WANIPConnection')}${service('WANPPPConnection')}</root>`))
  expect(scene.http.next().request.url).toContain('/WANIPConnection')
  answer(scene, soap('<NewExternalIPAddress>0.0.0.0</NewExternalIPAddress>'))
  expect(scene.http.next().request.url).toContain('/WANPPPConnection')
  answer(scene, soap('<NewExternalIPAddress>203.0.113.5</NewExternalIPAddress>'))
  expect(scene.addresses).toEqual(['203.0.113.5'])
  expect(action(scene)).toBe('AddPortMapping"')
  expect(scene.http.next().request.url).toContain('/WANPPPConnection')
})

test('a description that cannot be fetched is asked for three times, as long as the device answers searches', () => {
  const scene = portmapScene()
  scene.mapper.addMapping('tcp', 6881, 6881)
  scene.mapper.startUpnp()
  scene.time.pass(10)
  for (let i = 0; i < 10; i++) {
    scene.localNetwork.deliver(0, ssdpAnswer('http://192.168.1.1:5000/desc.xml'), ROUTER)
    if (scene.http.open.size > 0) answer(scene, '', 503)
    // A status is an answer: such a device is of no use.
  }
  expect(scene.http.gets).toHaveLength(1)
  const other = portmapScene()
  other.mapper.startUpnp()
  other.time.pass(10)
  for (let i = 0; i < 10; i++) {
    other.localNetwork.deliver(0, ssdpAnswer('http://192.168.1.1:5000/desc.xml'), ROUTER)
    if (other.http.open.size > 0) other.http.next().answer(systemError({ code: 'ECONNREFUSED', message: 'no' }))
  }
  expect(other.http.gets).toHaveLength(3)
})

test('ports that are none are refused with a text that says which', () => {
  const { mapper } = portmapScene()
  expect(() => mapper.addMapping('tcp', 0, 1)).toThrow('externalPort must be a port from 1 to 65535, not 0')
  expect(() => mapper.addMapping('tcp', 1, 65536)).toThrow('localPort')
})

test('there are fifty mappings at most', () => {
  const { mapper } = portmapScene()
  for (let i = 0; i < 50; i++) expect(mapper.addMapping('tcp', 6881, 6881)).toBe(i)
  expect(mapper.addMapping('tcp', 6881, 6881)).toBe(-1)
  mapper.deleteMapping(7)
  expect(mapper.addMapping('tcp', 6881, 6881)).toBe(7)
})

test('interfaces without a default gateway are left out, unless none has one', () => {
  const eth0 = { name: 'eth0', address: '192.168.1.2', prefixLength: 24 }
  const docker0 = { name: 'docker0', address: '172.17.0.1', prefixLength: 16 }
  const others = [
    { name: 'lo', address: '127.0.0.1', prefixLength: 8 },
    { name: 'eth0', address: '2001:db8::2', prefixLength: 64 },
  ]
  const all = [eth0, docker0, ...others]
  expect(mappingInterfaces(all, [{ interfaceName: 'eth0', gateway: '192.168.1.1' }])).toEqual([
    { local: eth0, gateway: '192.168.1.1', isPreferred: true },
  ])
  expect(mappingInterfaces(all, []).map(({ local }) => local.name)).toEqual(['eth0', 'docker0'])
  // We are the router ourselves; or the route is of another interface, or its gateway out of reach.
  expect(mappingInterfaces([eth0], [{ interfaceName: null, gateway: '192.168.1.2' }])[0].gateway).toBeNull()
  expect(mappingInterfaces([eth0], [{ interfaceName: 'eth1', gateway: '192.168.1.1' }])[0].gateway).toBeNull()
  expect(mappingInterfaces([eth0], [{ interfaceName: 'eth0', gateway: '10.0.0.1' }])[0].gateway).toBeNull()
})

test('of two interfaces before one router the one of the better route is mapped, unless the other is asked for', () => {
  const wlan0 = { name: 'wlan0', address: '192.168.1.3', prefixLength: 24 }
  const eth0 = { name: 'eth0', address: '192.168.1.2', prefixLength: 24 }
  const routes = ['eth0', 'wlan0'].map((interfaceName) => ({ interfaceName, gateway: '192.168.1.1' }))
  const found = mappingInterfaces([wlan0, eth0], routes)
  expect(found.map(({ local, isPreferred }) => [local.name, isPreferred])).toEqual([
    ['eth0', true],
    ['wlan0', false],
  ])
  expect(found.map((on) => isMappedOn(null, on))).toEqual([true, false])
  expect(found.map((on) => isMappedOn('192.168.1.3', on))).toEqual([false, true])
})

test("a router's clock that goes as ours did is one that did not start again (RFC 6887 section 8.5)", () => {
  const epoch = new RouterEpoch()
  expect(epoch.startedAgain(10_000, 500)).toBe(false)
  expect(epoch.startedAgain(70_000, 560)).toBe(false)
  // A second back is reordering; two are not.
  expect(epoch.startedAgain(70_000, 559)).toBe(false)
  expect(epoch.startedAgain(70_000, 557)).toBe(true)
  // Six per cent of drift is tolerated, more is not.
  expect(epoch.startedAgain(1_070_000, 557 + 1050)).toBe(false)
  expect(epoch.startedAgain(2_070_000, 557 + 1050 + 900)).toBe(true)
})

test('nothing is left open after the end', () => {
  const scene = portmapScene()
  scene.mapper.addMapping('tcp', 6881, 6881)
  findRouter(scene)
  scene.mapper.startNatpmp()
  scene.time.pass(100)
  let done = 0
  scene.mapper.stop(() => done++)
  scene.time.pass(3000)
  expect(done).toBe(1)
  expect([scene.time.pending, scene.http.open.size, scene.udp.open.size, scene.localNetwork.sockets.size]).toEqual([
    0, 0, 0, 0,
  ])
  scene.mapper.stop(() => done++)
  scene.time.pass(1)
  expect(done).toBe(2)
})

test('closing ends everything at once', () => {
  const scene = portmapScene()
  scene.mapper.addMapping('tcp', 6881, 6881)
  findRouter(scene)
  scene.mapper.startNatpmp()
  scene.time.pass(100)
  scene.mapper.stopUpnp()
  scene.mapper.close()
  scene.time.pass(1)
  expect([scene.time.pending, scene.http.open.size, scene.udp.open.size, scene.localNetwork.sockets.size]).toEqual([
    0, 0, 0, 0,
  ])
})
