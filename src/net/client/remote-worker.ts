/// <reference lib="webworker" />
import { answerCalls } from '../../model/port/answer-calls'
import { RemoteHost, type RemoteHostEvent } from './remote-host'

const scope = self as unknown as DedicatedWorkerGlobalScope
answerCalls<RemoteHostEvent>(scope, (tell) => new RemoteHost(tell))
