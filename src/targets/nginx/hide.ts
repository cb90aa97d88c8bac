import { type Directive, line } from './directive.ts';
import type { Module } from './grpc.ts';
import type { SceneHost } from './scene.ts';

/**
 * Headers of a service's answer that are not the service's to say. The scope of a service worker is the folder of its
 * script, where people sign in: no service widens it.
 */
export const hiddenHeaders = ({ sessions }: SceneHost, module: Module): readonly Directive[] =>
  (sessions ? ['Service-Worker-Allowed'] : []).map((name) => line(`${module}_hide_header`, name));
