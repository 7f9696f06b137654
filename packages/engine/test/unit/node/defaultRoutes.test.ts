import { expect, test } from 'vitest'
import {
  guessedRoutes,
  parseNetstatRoutes,
  parseProcRoutes,
  parseWindowsRoutes,
} from '../../../src/node/defaultRoutes.ts'

test("Linux's table of routes: the default ones through a gateway that are up, by metric", () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'eth0\t00000000\tFE01A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0',
    'eth1\t00000000\t0100000A\t0002\t0\t0\t10\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
    'tun1\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0',
    'nonsense',
    '',
  ].join('\n')
  expect(parseProcRoutes(table, true)).toEqual([
    { interfaceName: 'eth0', gateway: '192.168.1.254' },
    { interfaceName: 'wlan0', gateway: '192.168.1.1' },
  ])
  expect(parseProcRoutes('Iface\neth0\t00000000\tC0A80101\t0003\t0\t0\t1\t00000000', false)).toEqual([
    { interfaceName: 'eth0', gateway: '192.168.1.1' },
  ])
})

test('the table of macOS and the BSDs', () => {
  const text = `Routing tables

Internet:
Destination        Gateway            Flags        Netif Expire
default            192.168.1.1        UGScg          en0
default            link#15            UCSIg      bridge0
127                127.0.0.1          UCS            lo0
192.168.1          link#4             UCS            en0`
  expect(parseNetstatRoutes(text)).toEqual([{ interfaceName: 'en0', gateway: '192.168.1.1' }])
  const older = 'default            10.0.0.1           UGSc           62        0     en1'
  expect(parseNetstatRoutes(older)).toEqual([{ interfaceName: 'en1', gateway: '10.0.0.1' }])
})

test('the table of Windows, in whatever language', () => {
  const text = `IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.17     25
          0.0.0.0          0.0.0.0   Auf Verbindung        10.8.0.2      3
        127.0.0.0        255.0.0.0   Auf Verbindung       127.0.0.1    331`
  expect(parseWindowsRoutes(text)).toEqual([{ interfaceName: null, gateway: '192.168.1.1' }])
})

test('where routes cannot be read the first address of each private network is a guess', () => {
  const on = (address: string, prefixLength: number) => guessedRoutes([{ name: 'if', address, prefixLength }])
  expect(on('192.168.1.17', 24)).toEqual([{ interfaceName: 'if', gateway: '192.168.1.1' }])
  expect(on('172.16.37.200', 20)).toEqual([{ interfaceName: 'if', gateway: '172.16.32.1' }])
  expect(on('192.168.1.1', 24)).toEqual([])
  expect(on('203.0.113.7', 24)).toEqual([])
  expect(on('127.0.0.1', 8)).toEqual([])
  expect(on('10.8.0.2', 32)).toEqual([])
  expect(on('fd00::2', 64)).toEqual([])
})
