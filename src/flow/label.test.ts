import { expect, it } from 'vitest';
import { isBenignLabel } from './label.ts';

it.each([
  'benign',
  'BENIGN',
  'Normal',
  'Background',
  'background-UDP',
  'flow=From-Normal-V42-Jist',
  'flow=To-Normal-V42-NTP-server',
  'flow=Background-UDP-Attempt',
  'flow=To-Background-CVUT-Proxy',
  'flow=From-Background-CVUT-Proxy',
  'GOOD-SSH',
])('%s is benign', (label) => expect(isBenignLabel(label)).toBe(true));

it.each([
  'malicious',
  'outlier',
  'flow=From-Botnet-V42-TCP',
  'PORTSCAN1',
  'Abnormal',
  'normality',
  'Malicious/C&C',
  '',
  '-',
])('%j is not', (label) => expect(isBenignLabel(label)).toBe(false));
