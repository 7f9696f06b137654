import { expect, test } from 'vitest'
import { SimXml } from '../../../sim/simXml.ts'
import { type DeviceDescription, readDescription } from '../../../src/portmap/deviceDescription.ts'
import { encodeSoap, readSoapReply, type SoapReply } from '../../../src/portmap/soap.ts'
import { latin1, utf8 } from '../../../src/util/bytes.ts'
import { description, fault, soap } from './fakes.ts'

const LOCATION = new URL('http://192.168.1.1:5431/dyndev/desc.xml')

function read(text: string): DeviceDescription | null | undefined {
  let result: DeviceDescription | null | undefined
  readDescription(new SimXml(), utf8(text), LOCATION, (found) => {
    result = found
  })
  return result
}

function reply(text: string): SoapReply | null | undefined {
  let result: SoapReply | null | undefined
  readSoapReply(new SimXml(), utf8(text), (found) => {
    result = found
  })
  return result
}

const control = (text: string, more = '') => read(description(text, more))?.services[0]?.controlUrl.href

test('the control URL is relative to the description, or to URLBase if there is one', () => {
  expect(control('/ctl')).toBe('http://192.168.1.1:5431/ctl')
  expect(control('ctl')).toBe('http://192.168.1.1:5431/dyndev/ctl')
  expect(control('http://192.168.1.1:80/ctl')).toBe('http://192.168.1.1/ctl')
  expect(control('/ctl', '<URLBase>http://192.168.1.1:49152</URLBase>')).toBe('http://192.168.1.1:49152/ctl')
  expect(control('ctl', '<URLBase>http://192.168.1.1:49152/up/</URLBase>')).toBe('http://192.168.1.1:49152/up/ctl')
  expect(control('/ctl', '<URLBase></URLBase>')).toBe('http://192.168.1.1:5431/ctl')
  expect(control('uuid:0013-c2/WANIPConnection:1')).toBe(
    'http://192.168.1.1:5431/dyndev/uuid:0013-c2/WANIPConnection:1',
  )
  expect(control('/ctl?a=1&amp;b=2')).toBe('http://192.168.1.1:5431/ctl?a=1&b=2')
})

test('of several services IP comes before PPP and version 2 before 1, whatever the order of their fields', () => {
  const service = (type: string) =>
    `<service><controlURL>/${type}</controlURL><serviceType>urn:schemas-upnp-org:service:${type}</serviceType></service>`
  const types = ['WANPPPConnection:1', 'Layer3Forwarding:1', 'WANIPConnection:1', 'wanipconnection:2']
  const found = read(`<root><device><modelName> A\u0007cme  </modelName>${types.map(service).join('')}</device></root>`)
  expect(found?.services.map(({ type }) => type.split(':').slice(-2).join(':'))).toEqual([
    'WANIPConnection:2',
    'WANIPConnection:1',
    'WANPPPConnection:1',
  ])
  expect(found?.model).toBe('A cme')
})

test('a television maps no ports', () => {
  expect(read('<root><device><modelName>TV</modelName></device></root>')).toEqual({ model: 'TV', services: [] })
})

test('tags that are not closed do not hide the service', () => {
  expect(read(description().replace('</serviceList>', '').replace('<device>', '<device><br>'))?.services).toHaveLength(
    1,
  )
})

test('a call carries its arguments escaped, in order, under the type of the service', () => {
  const text = latin1(
    encodeSoap('urn:x:WANIPConnection:1', 'AddPortMapping', [
      ['NewA', 1],
      ['NewB', '<&">\'\r\n'],
    ]),
  )
  expect(text).toContain('<u:AddPortMapping xmlns:u="urn:x:WANIPConnection:1"><NewA>1</NewA>')
  expect(text).toContain('<NewB>&lt;&amp;&quot;&gt;&apos;</NewB></u:AddPortMapping>')
})

test('values and faults are read from an answer', () => {
  expect(
    reply(
      soap(
        '<u:GetExternalIPAddressResponse><NewExternalIPAddress> 203.0.113.5 </NewExternalIPAddress></u:GetExternalIPAddressResponse>',
      ),
    ),
  ).toEqual({ errorCode: null, errorDescription: '', values: { NewExternalIPAddress: '203.0.113.5' } })
  expect(reply(fault(718))).toMatchObject({ errorCode: 718 })
  // A blank forgotten by a router that exists.
  const glued =
    '<UPnPErrorxmlns="urn:schemas-upnp-org:control-1-0"><errorCode>402</errorCode><errorDescription>Invalid Args</errorDescription></UPnPError>'
  expect(reply(soap(`<s:Fault><detail>${glued}</detail></s:Fault>`))).toMatchObject({
    errorCode: 402,
    errorDescription: 'Invalid Args',
  })
  expect(reply(fault('many'))).toMatchObject({ errorCode: null })
})
