import { describe, expect, test } from 'vitest'
import { peerPriority } from '../../../src/address/peerPriority.ts'
import { PeerSource, PexFlags } from '../../../src/peers/peerSource.ts'
import { FakeConnection, fixedRandom, PeerScene } from './fakePeers.ts'

describe('adding peers', () => {
  test('a peer named twice is one entry with both sources and the latest port', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.2.3.4', PeerSource.tracker)
    expect(scene.add('1.2.3.4', PeerSource.dht, 0, 7000)).toBe(peer)
    expect(peer).toMatchObject({ port: 7000, source: PeerSource.tracker | PeerSource.dht })
    expect(scene.list.size).toBe(1)
  })

  test('where one address may be several peers, another port is another peer', () => {
    const scene = new PeerScene()
    scene.settings.allowMultipleConnectionsPerIp = true
    const first = scene.add('1.2.3.4')
    const second = scene.add('1.2.3.4', PeerSource.dht, 0, 7000)
    expect(second).not.toBe(first)
    expect(scene.list.find({ address: '1.2.3.4', port: 6881 })).toBe(first)
    expect(scene.list.find({ address: '1.2.3.4', port: 7000 })).toBe(second)
    scene.list.erase(first)
    expect(scene.list.find({ address: '1.2.3.4', port: 6881 })).toBeNull()
    expect(scene.list.find({ address: '1.2.3.4', port: 7000 })).toBe(second)
    scene.list.erase(second)
    expect(scene.list.find({ address: '1.2.3.4', port: 7000 })).toBeNull()
  })

  test.each([
    ['0.0.0.0', 6881],
    ['::', 6881],
    ['fe80::1', 6881],
    ['1.2.3.4', 0],
    ['1.2.3.4', 1],
    ['1.2.3.4', 65_536],
  ])('%s port %i is no peer anyone could connect to', (address, port) => {
    expect(new PeerScene().list.addPeer({ address, port }, PeerSource.pex)).toBeNull()
  })

  test('a tracker that names a failed peer again takes one failure back; other sources do not', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.2.3.4')
    scene.list.setFailcount(peer, 3)
    expect(scene.list.numConnectCandidates).toBe(0)
    scene.add('1.2.3.4', PeerSource.dht)
    expect(peer.failcount).toBe(3)
    scene.add('1.2.3.4', PeerSource.tracker)
    expect(peer.failcount).toBe(2)
    expect(scene.list.numConnectCandidates).toBe(1)
  })

  test('what peer exchange says of a peer is kept, but not against what its own connection says', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.2.3.4', PeerSource.pex, PexFlags.seed | PexFlags.encryption)
    expect(peer).toMatchObject({ maybeUploadOnly: true, supportsEncryption: true })
    scene.connect(peer)
    expect(peer.maybeUploadOnly).toBe(false)
    scene.add('1.2.3.4', PeerSource.pex, PexFlags.seed)
    expect(peer.maybeUploadOnly).toBe(false)
  })
})

describe('whom to connect to', () => {
  test('nobody while the list is empty, nobody who is connected, banned, or a seed when we are finished', () => {
    const scene = new PeerScene()
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    scene.connect(scene.add('1.0.0.1'))
    scene.list.ban(scene.add('1.0.0.2'))
    scene.list.setSeed(scene.add('1.0.0.3'), true)
    scene.list.setUploadOnly(scene.add('1.0.0.4'), true)
    expect(scene.list.numConnectCandidates).toBe(2)
    scene.isFinished = true
    expect(scene.list.numConnectCandidates).toBe(0)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    scene.isFinished = false
    expect(scene.list.numConnectCandidates).toBe(2)
    expect(scene.connectOrder().sort()).toEqual(['1.0.0.3', '1.0.0.4'])
  })

  test('fewer failures first, then local, then longest not tried, then the better source', () => {
    const scene = new PeerScene()
    scene.add('1.0.0.5', PeerSource.pex)
    scene.add('1.0.0.4', PeerSource.dht)
    scene.add('1.0.0.3', PeerSource.lsd)
    scene.add('1.0.0.2', PeerSource.tracker)
    scene.add('1.0.0.6', PeerSource.tracker).lastConnected = scene.now - 900_000
    scene.add('1.0.0.7', PeerSource.tracker).lastConnected = scene.now - 899_000
    scene.list.setFailcount(scene.add('10.0.0.9', PeerSource.tracker), 1)
    scene.list.setFailcount(scene.add('1.0.0.9', PeerSource.tracker), 1)
    scene.add('192.168.0.1', PeerSource.pex)
    scene.now += 10_000_000
    expect(scene.connectOrder()).toEqual([
      '192.168.0.1',
      '1.0.0.2',
      '1.0.0.3',
      '1.0.0.4',
      '1.0.0.5',
      '1.0.0.6',
      '1.0.0.7',
      '10.0.0.9',
      '1.0.0.9',
    ])
  })

  test('when we are finished, those said to be seeds come after the others', () => {
    const scene = new PeerScene()
    scene.isFinished = true
    scene.add('1.0.0.1', PeerSource.tracker, PexFlags.seed)
    scene.add('1.0.0.2', PeerSource.pex)
    expect(scene.connectOrder()).toEqual(['1.0.0.2', '1.0.0.1'])
  })

  test('BEP 40: among equals the canonical priority towards our own address decides', () => {
    const scene = new PeerScene()
    const own = (scene.external = { address: '123.213.32.10', port: 6881 })
    const addresses = Array.from({ length: 9 }, (_, i) => `${20 + i}.7.8.9`)
    for (const address of addresses) scene.add(address)
    const priority = (address: string): number => peerPriority(own, { address, port: 6881 })
    expect(scene.connectOrder()).toEqual(addresses.sort((a, b) => priority(b) - priority(a)))
  })

  test('after a failed connection a peer waits the reconnect time once more for each failure, three in all', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.2.3.4')
    const waits: number[] = []
    for (let failures = 1; failures <= 2; failures++) {
      expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
      scene.connect(peer).close(true)
      const wait = (failures + 1) * 60_000
      expect(scene.list.connectOnePeer(scene.now)).toBeNull()
      expect(scene.list.retryAt).toBe(scene.now + wait)
      scene.now += wait - 1
      expect(scene.list.connectOnePeer(scene.now)).toBeNull()
      scene.now += 1
      waits.push(wait)
    }
    expect(waits).toEqual([120_000, 180_000])
    expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
    scene.connect(peer).close(true)
    expect(scene.list.numConnectCandidates).toBe(0)
    expect(scene.list.retryAt).toBe(Number.POSITIVE_INFINITY)
  })

  test('a new peer is tried at once although the others are waiting', () => {
    const scene = new PeerScene()
    scene.connect(scene.add('1.0.0.1')).close(false)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    const peer = scene.add('1.0.0.2')
    expect(scene.list.retryAt).toBeLessThanOrEqual(scene.now)
    expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
  })

  test('shorter reconnect time and more failures allowed take effect at once', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.0.0.1')
    scene.connect(peer).close(false)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    scene.settings.minReconnectTime = 0
    expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
    scene.list.setFailcount(peer, 3)
    expect(scene.list.numConnectCandidates).toBe(0)
    scene.settings.maxFailcount = 4
    expect(scene.list.numConnectCandidates).toBe(1)
  })

  test('a peer may come back at once twice in its life', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.0.0.1')
    const answers = [1, 2, 3].map(() => {
      const connection = scene.connect(peer)
      const fastReconnect = scene.list.allowFastReconnect(peer, scene.now)
      scene.list.connectionClosed(peer, connection, { failed: false, fastReconnect }, scene.now)
      return [fastReconnect, scene.list.connectOnePeer(scene.now) === peer]
    })
    expect(answers).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ])
  })

  test('a peer may come back at once in the first seconds of a session, too', () => {
    const scene = new PeerScene()
    scene.now = 2000
    const peer = scene.add('1.0.0.1')
    const connection = scene.connect(peer)
    const fastReconnect = scene.list.allowFastReconnect(peer, scene.now)
    scene.list.connectionClosed(peer, connection, { failed: false, fastReconnect }, scene.now)
    expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
  })

  test('of a long list, every peer comes up once and none twice', () => {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 0
    const addresses = Array.from({ length: 1000 }, (_, i) => `1.0.${i >> 8}.${i & 255}`)
    for (const address of addresses) scene.add(address)
    expect(scene.connectOrder().sort()).toEqual(addresses.sort())
  })
})

describe('a long list', () => {
  const LENGTH = 1000
  /** Among those of the first look, and not of the last, which begins anew at the front. */
  const SEEN = 250
  /** Time to look through all of it, 300 peers every 5 ms. */
  const LOOK_MS = 5 * Math.ceil(LENGTH / 300)

  /** All have just been connected and closed; each waits a second longer than another, not in the order of the list. */
  function waitingScene() {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 0
    const peers = Array.from({ length: LENGTH }, (_, i) => scene.add(`1.0.${i >> 8}.${i & 255}`))
    for (const peer of peers) scene.connect(peer).close(false)
    for (const [i, peer] of peers.entries()) peer.lastConnected = scene.now + ((i * 7) % LENGTH) * 1000
    return { scene, peers }
  }

  /** Asks as the list says, and not more often than every 5 ms, until somebody comes; returns how often. */
  function askUntilSomebody(scene: PeerScene): { asked: number; address: string } {
    for (let asked = 1; ; asked++) {
      const peer = scene.list.connectOnePeer(scene.now)
      if (peer !== null) return { asked, address: peer.address }
      scene.now = Math.max(scene.now + 5, scene.list.retryAt)
    }
  }

  test('in which all are waiting is looked through once, and then asked when the first is ready', () => {
    const { scene, peers } = waitingScene()
    const readyAt = scene.now + 60_000
    const { asked, address } = askUntilSomebody(scene)
    expect(address).toBe(peers[0].address)
    expect(scene.now).toBeGreaterThanOrEqual(readyAt)
    expect(scene.now).toBeLessThanOrEqual(readyAt + LOOK_MS)
    expect(asked).toBeLessThanOrEqual(2 * Math.ceil(LENGTH / 300))
  })

  test('gives everybody the moment the reconnect time is over, one after the other', () => {
    const { scene } = waitingScene()
    const late: number[] = []
    for (let i = 0; i < 200; i++) {
      const { address } = askUntilSomebody(scene)
      const peer = scene.list.find({ address, port: 6881 })!
      late.push(scene.now - (peer.lastConnected + 60_000))
      scene.connect(peer)
    }
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...late)).toBeLessThanOrEqual(LOOK_MS)
  })

  test('gives a new peer at once although it was just found that all others are waiting', () => {
    const { scene, peers } = waitingScene()
    for (const peer of peers) peer.lastConnected = scene.now
    for (let i = 0; i < 2; i++) expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    const added = scene.add('9.9.9.9')
    for (let i = 0; i < 10 && scene.list.connectOnePeer(scene.now) !== added; i++) expect(i).toBeLessThan(9)
  })

  test('does not forget whose time has changed while it is looked through', () => {
    const { scene, peers } = waitingScene()
    for (const peer of peers) peer.lastConnected = scene.now + 1_000_000
    const early = peers[SEEN]
    early.lastConnected = scene.now
    scene.list.setFailcount(early, 2)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    scene.list.setFailcount(early, 0)
    const { address } = askUntilSomebody(scene)
    expect(address).toBe(early.address)
    expect(scene.now - (early.lastConnected + 60_000)).toBeLessThanOrEqual(LOOK_MS)
  })

  test('misses nobody although others are forgotten while it is looked through', () => {
    const { scene, peers } = waitingScene()
    for (const peer of peers) peer.lastConnected = scene.now
    const last = peers[LENGTH - 1]
    last.lastConnected = scene.now - 50_000
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    // The last one moves to where nobody looks any more.
    scene.list.erase(peers[SEEN])
    const { address } = askUntilSomebody(scene)
    expect(address).toBe(last.address)
    expect(scene.now - (last.lastConnected + 60_000)).toBeLessThanOrEqual(LOOK_MS)
  })
})

describe('ports below 1024', () => {
  test('are not connected to while the setting says so, whoever names them', () => {
    const scene = new PeerScene()
    scene.settings.noConnectPrivilegedPorts = true
    expect(scene.list.addPeer({ address: '1.0.0.1', port: 1023 }, PeerSource.tracker)).toBeNull()
    expect(scene.add('1.0.0.2', PeerSource.tracker, 0, 1024)).toMatchObject({ port: 1024 })
    const incoming = scene.incoming('1.0.0.3') as FakeConnection
    expect(scene.list.updatePeerPort(incoming.entry!, 80, PeerSource.incoming)).toBe(true)
    incoming.close(false)
    scene.now += 10_000_000
    expect(scene.connectOrder()).toEqual(['1.0.0.2'])
  })

  test('those known before count no more once the setting is turned on, and again when it is turned off', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.0.0.1', PeerSource.tracker, 0, 80)
    expect(scene.list.numConnectCandidates).toBe(1)
    scene.settings.noConnectPrivilegedPorts = true
    expect(scene.list.numConnectCandidates).toBe(0)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    scene.settings.noConnectPrivilegedPorts = false
    expect(scene.list.connectOnePeer(scene.now)).toBe(peer)
  })

  test('what a filter stops is disconnected and forgotten, the rest stays', () => {
    const scene = new PeerScene()
    const connections = ['1.0.0.1', '1.0.0.2', '1.0.0.3'].map((address, i) =>
      scene.connect(scene.add(address, PeerSource.tracker, 0, 80 + 1000 * i)),
    )
    scene.add('1.0.0.4', PeerSource.tracker, 0, 443)
    scene.list.eraseWhere(({ port }) => port < 1024, 'portBlocked')
    expect(connections.map(({ closedWith }) => closedWith)).toEqual(['portBlocked', null, null])
    expect(scene.erased.sort()).toEqual(['1.0.0.1', '1.0.0.4'])
    expect([...scene.list].map(({ address }) => address).sort()).toEqual(['1.0.0.2', '1.0.0.3'])
  })
})

describe('incoming connections', () => {
  test('an unknown one makes an entry that is not connected to until it says where it listens', () => {
    const scene = new PeerScene()
    const connection = scene.incoming('1.2.3.4') as FakeConnection
    const peer = connection.entry!
    expect(peer).toMatchObject({ source: PeerSource.incoming, connectable: false, connection })
    connection.close(false)
    scene.now += 10_000_000
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    const again = scene.incoming('1.2.3.4', 50_001) as FakeConnection
    expect(again.entry).toBe(peer)
    expect(scene.list.updatePeerPort(peer, 6881, PeerSource.incoming)).toBe(true)
    again.close(false)
    scene.now += 10_000_000
    expect(scene.list.connectOnePeer(scene.now)).toMatchObject({ address: '1.2.3.4', port: 6881 })
  })

  test('a banned one is refused', () => {
    const scene = new PeerScene()
    scene.list.ban(scene.add('1.2.3.4'))
    expect(scene.incoming('1.2.3.4')).toBe('peerBanned')
  })

  test('a second one from the same address is refused', () => {
    const scene = new PeerScene()
    const first = scene.incoming('1.2.3.4')
    expect(scene.incoming('1.2.3.4', 50_001)).toBe('duplicatePeerId')
    expect(first).toMatchObject({ closedWith: null })
  })

  test('one that wins against ours replaces it, and the entry stays', () => {
    const scene = new PeerScene()
    // Their port 6000 is lower than ours: they keep the connection they opened.
    const peer = scene.add('1.2.3.4', PeerSource.tracker, 0, 6000)
    const ours = scene.connect(peer)
    const theirs = scene.incoming('1.2.3.4') as FakeConnection
    expect(ours.closedWith).toBe('duplicatePeerId')
    expect(theirs.entry).toBe(peer)
    expect(peer.connection).toBe(theirs)
    expect(scene.erased).toEqual([])
    ours.close(true)
    expect(peer).toMatchObject({ connection: theirs, failcount: 0 })
  })

  test('one that loses against ours is refused', () => {
    const scene = new PeerScene()
    const ours = scene.connect(scene.add('1.2.3.4', PeerSource.tracker, 0, 7000))
    expect(scene.incoming('1.2.3.4')).toBe('duplicatePeerId')
    expect(ours.closedWith).toBeNull()
  })

  test('a connection to ourselves is closed at both ends', () => {
    const scene = new PeerScene()
    const peer = scene.add('192.0.2.99')
    const ours = scene.connect(peer)
    expect(scene.incoming('192.0.2.99', 40_000)).toBe('selfConnection')
    expect(ours.closedWith).toBe('selfConnection')
    expect(peer.connection).toBeNull()
  })

  test('where one address may be several peers, one that never said where it listens leaves no entry', () => {
    const scene = new PeerScene()
    scene.settings.allowMultipleConnectionsPerIp = true
    for (let port = 50_000; port < 50_010; port++) (scene.incoming('1.2.3.4', port) as FakeConnection).close(false)
    expect(scene.list.size).toBe(0)
  })

  test('one that turns out to listen where we are connected already is closed and forgotten', () => {
    const scene = new PeerScene()
    scene.settings.allowMultipleConnectionsPerIp = true
    const known = scene.add('1.2.3.4')
    const ours = scene.connect(known)
    const theirs = scene.incoming('1.2.3.4') as FakeConnection
    expect(scene.list.updatePeerPort(theirs.entry!, 6881, PeerSource.incoming)).toBe(false)
    expect(theirs.closedWith).toBe('duplicatePeerId')
    expect(ours.closedWith).toBeNull()
    expect([...scene.list]).toEqual([known])
    expect(known.source).toBe(PeerSource.tracker | PeerSource.incoming)
  })

  test('one that turns out to be a peer we know but are not connected to takes its place', () => {
    const scene = new PeerScene()
    scene.settings.allowMultipleConnectionsPerIp = true
    scene.add('1.2.3.4')
    const theirs = scene.incoming('1.2.3.4') as FakeConnection
    expect(scene.list.updatePeerPort(theirs.entry!, 6881, PeerSource.incoming)).toBe(true)
    expect([...scene.list]).toEqual([theirs.entry])
    expect(scene.list.numConnectCandidates).toBe(0)
  })
})

describe('a full list', () => {
  function aFullScene(): PeerScene {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 10
    for (let i = 0; i < 10; i++) scene.add(`1.0.0.${i}`)
    return scene
  }

  test('takes no more while all it has are good', () => {
    const scene = aFullScene()
    expect(scene.list.addPeer({ address: '2.0.0.1', port: 6881 }, PeerSource.tracker)).toBeNull()
    expect(scene.erased).toEqual([])
  })

  test('makes room for a new peer by forgetting the one that failed most', () => {
    const scene = aFullScene()
    const peers = [...scene.list]
    scene.list.setFailcount(peers[3], 3)
    scene.list.setFailcount(peers[5], 4)
    scene.add('2.0.0.1')
    expect(scene.erased).toEqual(['1.0.0.5'])
    expect(scene.list.size).toBe(10)
  })

  test('forgets those known from resume data only as soon as they are of no use', () => {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 10
    for (let i = 0; i < 10; i++) {
      scene.list.setFailcount(scene.add(`1.0.0.${i}`, PeerSource.resumeData), 3)
    }
    scene.add('2.0.0.1')
    expect(scene.erased.length).toBeGreaterThan(0)
    expect(scene.list.find({ address: '2.0.0.1', port: 6881 })).not.toBeNull()
  })

  test('takes nothing more from resume data', () => {
    const scene = aFullScene()
    scene.list.setFailcount([...scene.list][0], 3)
    expect(scene.list.addPeer({ address: '2.0.0.1', port: 6881 }, PeerSource.resumeData)).toBeNull()
  })

  test('lets in who connects to us, if need be for a peer that is still good', () => {
    const scene = aFullScene()
    expect(scene.incoming('2.0.0.1')).toBeInstanceOf(FakeConnection)
    expect(scene.erased).toHaveLength(1)
    expect(scene.list.size).toBe(10)
  })

  test('refuses who connects to us when all its peers are connected', () => {
    const scene = aFullScene()
    scene.connectOrder()
    expect(scene.incoming('2.0.0.1')).toBe('tooManyConnections')
    expect(scene.erased).toEqual([])
  })

  test('forgets those that connected to us once, and keeps what it holds against some', () => {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 10
    for (let i = 0; i < 8; i++) (scene.incoming(`1.0.0.${i}`) as FakeConnection).close(false)
    const suspect = scene.incoming('1.0.0.8') as FakeConnection
    suspect.entry!.hashfails = 1
    suspect.close(false)
    const banned = scene.incoming('1.0.0.9') as FakeConnection
    banned.close(false)
    scene.list.ban(banned.entry!)
    for (let i = 0; i < 8; i++) scene.add(`2.0.0.${i}`, PeerSource.tracker)
    expect(scene.list.addPeer({ address: '2.0.0.8', port: 6881 }, PeerSource.tracker)).toBeNull()
    expect(scene.erased).toHaveLength(8)
    expect([...scene.list]).toEqual(expect.arrayContaining([suspect.entry, banned.entry]))
  })

  test('has another limit while the torrent is paused', () => {
    const scene = new PeerScene()
    scene.settings.maxPausedPeerlistSize = 2
    scene.isPaused = true
    for (let i = 0; i < 5; i++) scene.list.addPeer({ address: `1.0.0.${i}`, port: 6881 }, PeerSource.tracker)
    expect(scene.list.size).toBe(2)
  })

  test('is weeded while looking for someone to connect to', () => {
    const scene = aFullScene()
    scene.list.setFailcount([...scene.list][4], 3)
    expect(scene.list.connectOnePeer(scene.now)).not.toBeNull()
    expect(scene.erased).toEqual(['1.0.0.4'])
  })
})

describe('counts', () => {
  test('seeds are counted as they come, change their mind and go', () => {
    const scene = new PeerScene()
    const peers = [scene.add('1.0.0.1'), scene.add('1.0.0.2')]
    for (const peer of peers) scene.list.setSeed(peer, true)
    expect(scene.list.numSeeds).toBe(2)
    scene.list.setSeed(peers[0], false)
    scene.list.erase(peers[1])
    expect(scene.list.numSeeds).toBe(0)
  })

  test('payload of closed connections is remembered in KiB, for the next connection to go on from', () => {
    const scene = new PeerScene()
    const peer = scene.add('1.0.0.1')
    for (const sent of [2048, 1500]) {
      const connection = scene.connect(peer)
      const uploaded = peer.prevAmountUpload * 1024 + sent
      const downloaded = peer.prevAmountDownload * 1024 + 10 * sent
      scene.list.connectionClosed(peer, connection, { failed: false, uploaded, downloaded }, scene.now)
    }
    expect(peer).toMatchObject({
      prevAmountUpload: Math.floor((2048 + 1500) / 1024),
      prevAmountDownload: Math.floor((20_480 + 15_000) / 1024),
    })
  })

  test('after clear nothing is left, and everyone was told', () => {
    const scene = new PeerScene()
    scene.random = fixedRandom(3)
    for (let i = 0; i < 20; i++) scene.add(`1.0.0.${i}`)
    scene.list.clear()
    expect(scene.list.size).toBe(0)
    expect(scene.erased).toHaveLength(20)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    expect(scene.list.numConnectCandidates).toBe(0)
  })
})

describe('WebRTC peers', () => {
  function rtc(scene: PeerScene, address: string, port = 50_000): FakeConnection | string {
    const connection = new FakeConnection(scene, { address, port })
    const peer = scene.list.newRtcConnection(connection, scene.now)
    if (typeof peer === 'string') return peer
    connection.entry = peer
    return connection
  }

  test('are peers of their own, beside those of the same address that can be dialled', () => {
    const scene = new PeerScene()
    const known = scene.add('1.2.3.4')
    const first = rtc(scene, '1.2.3.4') as FakeConnection
    const second = rtc(scene, '1.2.3.4', 50_001) as FakeConnection
    expect(new Set([known, first.entry, second.entry]).size).toBe(3)
    expect(scene.connectOrder()).toEqual(['1.2.3.4'])
    expect(known.port).toBe(6881)
    expect(scene.list.find({ address: '1.2.3.4', port: 6881 })).toBe(known)
    expect([first.closedWith, second.closedWith]).toEqual([null, null])
  })

  test('are never dialled, and the entry of one that left is that of the next from its address', () => {
    const scene = new PeerScene()
    const first = rtc(scene, '1.2.3.4') as FakeConnection
    const entry = first.entry
    first.close(false)
    expect(scene.list.numConnectCandidates).toBe(0)
    expect(scene.list.connectOnePeer(scene.now)).toBeNull()
    expect((rtc(scene, '1.2.3.4', 7) as FakeConnection).entry).toBe(entry)
    expect(entry?.port).toBe(7)
    expect(scene.list.size).toBe(1)
  })

  test('are banned with their address', () => {
    const scene = new PeerScene()
    const bad = rtc(scene, '1.2.3.4') as FakeConnection
    scene.list.ban(bad.entry!)
    bad.close(false)
    expect(rtc(scene, '1.2.3.4', 7)).toBe('peerBanned')
    scene.list.ban(scene.add('5.6.7.8'))
    expect(rtc(scene, '5.6.7.8')).toBe('peerBanned')
  })

  test('of one address are thirty-two at most', () => {
    const scene = new PeerScene()
    const all = Array.from({ length: 40 }, (_, i) => rtc(scene, '1.2.3.4', 1000 + i))
    expect(all.filter((each) => each === 'tooManyConnections')).toHaveLength(8)
    expect(rtc(scene, '1.2.3.5')).toBeInstanceOf(FakeConnection)
  })

  test('that were here once make room for others', () => {
    const scene = new PeerScene()
    scene.settings.maxPeerlistSize = 2
    for (let i = 0; i < 10; i++) (rtc(scene, `1.2.3.${i}`) as FakeConnection).close(false)
    expect(scene.list.size).toBe(2)
    for (let i = 0; i < 2; i++) expect(rtc(scene, `1.2.4.${i}`)).toBeInstanceOf(FakeConnection)
    expect(rtc(scene, '1.2.4.9')).toBe('tooManyConnections')
  })
})
