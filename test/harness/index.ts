/** Everything a test needs: `import { … } from '../harness/index.ts'`. */
export * from './calls.ts';
export * from './case.ts';
export { Box, type ContainerSpec, startContainer } from './container.ts';
export * from './envoy.ts';
export * from './gateway.ts';
export * from './http.ts';
export * from './images.ts';
export * from './issuer.ts';
export { jsonLines, LogBuffer } from './logs.ts';
export { type Ca, type Credential, createCa } from './pki.ts';
export { type Files, readPolicy, render } from './policy.ts';
export * from './provider.ts';
export * from './raw.ts';
export * from './services.ts';
export { openStage, type Stage, saveLogs } from './stage.ts';
export { writeSvid } from './svid.ts';
export * from './tokens.ts';
export { until } from './until.ts';
