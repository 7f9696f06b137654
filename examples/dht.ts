// A node of the DHT; texts stored in it, and read again; the peers of a torrent.
// Usage: tsx examples/dht.ts node [port]
//        tsx examples/dht.ts put <text> [host:port]
//        tsx examples/dht.ts get <target> [host:port]
//        tsx examples/dht.ts peers <info-hash> [host:port]
// With host:port that node is asked in place of the public DHT: one that `node` has started will do.
import { Session, Sha1Hash } from 'libtorrent-ts'

const [command, what = '', node] = process.argv.slice(2)
const isPrivate = command === 'node' || node !== undefined

const session = new Session({
  settings: {
    listenInterfaces: isPrivate ? `127.0.0.1:${command === 'node' ? what || '6881' : '0'}` : '0.0.0.0:0,[::]:0',
    enableLsd: false,
    enableUpnp: false,
    enableNatpmp: false,
    // Who leaves again in a moment does not offer its services.
    dhtReadOnly: command !== 'node',
    // A DHT on one machine has many nodes of one address, which in the public one would be suspicious.
    ...(isPrivate && { dhtBootstrapNodes: '', dhtRestrictRoutingIps: false, dhtRestrictSearchIps: false }),
  },
})
await session.ready

if (command === 'node') {
  console.log(`node at 127.0.0.1:${session.listenPort}`)
  session.on('dhtAnnounce', (alert) => console.log(alert.message()))
  process.once('SIGINT', () => session.abort())
} else {
  const joined = new Promise((resolve) => session.once('dhtBootstrap', resolve))
  if (node !== undefined) {
    const [host, port] = node.split(':')
    session.addDhtNode({ host, port: Number(port) })
  }
  await joined
  console.log(`${session.status().dhtNodes} nodes known`)
  if (command === 'put') {
    const { target, numSuccess } = await session.dhtPutItem(what)
    console.log(`stored by ${numSuccess} nodes at ${target.toHex()}`)
  } else if (command === 'get') {
    const item = await session.dhtGetItem(Sha1Hash.fromHex(what))
    console.log(item instanceof Uint8Array ? `found: ${new TextDecoder().decode(item)}` : 'nobody has it')
  } else {
    const peers = await session.dhtGetPeers(Sha1Hash.fromHex(what))
    for (const { address, port } of peers) console.log(`peer: ${address}:${port}`)
  }
  await session.abort()
}
