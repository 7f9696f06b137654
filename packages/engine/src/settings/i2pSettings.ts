import { bool, int, source, text } from './settingRow.ts'

const HOPS = { max: 7, unit: 'hops', source: source.v2_0 } as const
const TUNNELS = { default: 3, min: 1, max: 16, unit: 'tunnels', source: source.v2_0 } as const
const VARIANCE = { default: 0, min: -7, max: 7, unit: 'hops', source: source.v2_0 } as const
const FROM_NEXT = 'Counts from the next session with the router on.'

/** Settings about I2P. `setI2pProxy` and `i2pProxy` (1.0, proxy_settings) are another view of the first two. */
export const i2pSettings = {
  i2pHostname: text('i2p_hostname', {
    default: '',
    source: source.v1_1,
    doc: 'Host name or address of the SAM bridge of an I2P router, mostly `127.0.0.1`. Peers and trackers of I2P torrents are connected to through it, whatever `proxyType` and `forceProxy` say. Empty: there is none, and I2P torrents find no peers.',
  }),
  i2pPort: int('i2p_port', {
    default: 0,
    max: 65_535,
    unit: 'port',
    source: source.v1_1,
    doc: 'Port of the SAM bridge; routers use 7656.',
  }),
  allowI2pMixed: bool('allow_i2p_mixed', {
    default: false,
    source: source.v1_0,
    doc: 'Torrents with trackers in I2P may have ordinary peers, trackers and web seeds as well, and ordinary torrents peers in I2P: for those who want to help I2P rather than to hide. Off: neither learns of the other.',
  }),
  i2pInboundQuantity: int('i2p_inbound_quantity', {
    ...TUNNELS,
    doc: `Tunnels that lead to us. ${FROM_NEXT}`,
  }),
  i2pOutboundQuantity: int('i2p_outbound_quantity', {
    ...TUNNELS,
    doc: `Tunnels that lead away from us. ${FROM_NEXT}`,
  }),
  i2pInboundLength: int('i2p_inbound_length', {
    default: 3,
    ...HOPS,
    doc: `Hops of a tunnel that leads to us: fewer are faster and hide us less. ${FROM_NEXT}`,
  }),
  i2pOutboundLength: int('i2p_outbound_length', {
    default: 3,
    ...HOPS,
    doc: `Hops of a tunnel that leads away from us. ${FROM_NEXT}`,
  }),
  i2pInboundLengthVariance: int('i2p_inbound_length_variance', {
    ...VARIANCE,
    doc: `How much the number of hops to us varies; negative: by so much up and down. ${FROM_NEXT}`,
  }),
  i2pOutboundLengthVariance: int('i2p_outbound_length_variance', {
    ...VARIANCE,
    doc: `The same for hops away from us. ${FROM_NEXT}`,
  }),
} as const
