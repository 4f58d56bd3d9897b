/** Every bound of the host. docs/limits.md shows the same table; a test holds both equal. */
export const LIMITS = {
  /** CNI calls that run at the same time. */
  runningMax: 256,
  /** CNI calls that wait for their turn; one more is answered with code 11. */
  waitingMax: 1024,
  /** Longest wait of a CNI call in the queue, ms. */
  waitMs: 60_000,
  /** Attach of one network by its plugin, ms. */
  attachMs: 30_000,
  /** Detach of one network by its plugin, ms. */
  detachMs: 60_000,
  /** Check of one network by its plugin, ms. */
  checkMs: 30_000,
  /** One execution of a CNI plugin by cni-exec, ms, unless the host's configuration says otherwise. */
  cniExecMs: 20_000,
  /** List of one plugin, ms. */
  listMs: 30_000,
  /** Syncing the state database to disk, ms. */
  flushMs: 5_000,
  /** Reading the DEL journal, ms. */
  journalMs: 10_000,
  /** Pause between two rounds of reconciliation (leaks, unfinished detaches, journal), ms. */
  reconcileMs: 10_000,
  /** Shortest pause between two rounds where somebody was seen to take away what the host made, ms. */
  reconcileHurryMs: 1_000,
  /** Longest pause after which an event tells again of what goes wrong in every round, ms. */
  troublePauseMaxMs: 3_600_000,
  /** Shortest time between the two observations after which something is judged leaked, ms. */
  leakGraceMs: 60_000,
  /** Age from which an attachment is missed in lists of pods that never had it, ms: kubelet gives a sandbox 4 minutes, and runtimes list it last. */
  podListedMs: 300_000,
  /** Asking the container runtime and the cluster which pods there are, ms. */
  podWitnessesMs: 10_000,
  /** One call of the container runtime, ms. */
  runtimeCallMs: 5_000,
  /** Bytes of one answer of the container runtime. */
  runtimeAnswerBytesMax: 64 << 20,
  /** Time for which a container runtime that came back must answer before what it lacks counts, ms. */
  runtimeSettleMs: 60_000,
  /** First pause after a failure of the container runtime, ms; it doubles with each. */
  runtimeRetryMinMs: 1_000,
  /** Longest pause after a failure of the container runtime, ms. */
  runtimeRetryMaxMs: 60_000,
  /** Attachments recorded at the same time. */
  attachmentsMax: 10_000,
  /** Networks that one pod asks for beside its default one. */
  podNetworksMax: 64,
  /** Characters of the annotation by which a pod asks for networks. */
  podNetworksCharactersMax: 64 << 10,
  /** Files of the node's CNI configuration folder that are looked at for network definitions. */
  cniConfFilesMax: 64,
  /** Networks known at the same time. */
  networksMax: 1_024,
  /** Events kept for `patchbay events`. */
  eventsMax: 1_000,
  /** Watches of attachments and events at the same time; one more is refused. */
  watchersMax: 32,
  /** Messages that wait for a slow watcher before it is hung up on. */
  watchBacklogMax: 1_000,
  /** Bytes of messages, about, that wait for a slow watcher before it is hung up on. */
  watchBacklogBytesMax: 32 << 20,
  /** Longest wait of a start, or of a round of reconciliation, for one kind of its work; the work goes on beside, ms. */
  patienceMs: 5_000,
  /** Pause between two comparisons of an attachment with the kernel, ms. */
  driftMs: 300_000,
  /** Attachments compared with the kernel in one round of reconciliation. */
  driftBatchMax: 64,
  /** Times that the same difference of an attachment is mended unasked: who makes it again wants it. */
  driftRepairsMax: 2,
  /** Differences of one attachment that are mended unasked before the rest is only told of. */
  driftRepairedMax: 64,
  /** Attachments of a network that its plugin is told when it is asked to look after it: the newest. */
  repairAttachmentsMax: 256,
  /** Entries of the DEL journal replayed in one round. */
  journalBatchMax: 1_000,
  /** Bytes of one entry of the DEL journal. */
  journalEntryBytesMax: 2 << 20,
  /** Bytes of a network configuration. */
  configBytesMax: 1 << 20,
  /** Entries of a GC list. */
  gcListMax: 100_000,
  /** Time to finish running calls when the host stops, ms. */
  stopGraceMs: 10_000,
  /** Programming the whole plan of Services by a data plane, ms. */
  planeResetMs: 60_000,
  /** Programming one change of Services by a data plane, ms. */
  planeApplyMs: 10_000,
  /** Time for a data plane's call past its deadline to end before the next one starts anyway, ms. */
  planeLateMs: 60_000,
  /** Reading from a data plane what it holds or has counted, ms. */
  planeReadMs: 2_000,
  /** First pause after a failure of a data plane, ms; it doubles with each. */
  planeRetryMinMs: 100,
  /** Longest pause after a failure of a data plane, ms. */
  planeRetryMaxMs: 10_000,
  /** Changes that wait for a data plane before it gets the whole plan instead. */
  planeQueueMax: 64,
  /** Time after which other data planes no longer wait for the built-in one, ms. */
  planeOverdueMs: 1_000,
  /** Pause before frontends that a data plane refused are offered again, ms. */
  planeRefusedMs: 30_000,
  /** Pause before a repair, ms: who flushes one family flushes the other as well. */
  planeTamperMs: 1,
  /** Repairs of a data plane in a row that follow at once. */
  planeRepairsMax: 20,
  /** Time without a repair after which they are counted anew, ms. */
  planeRepairQuietMs: 10_000,
  /** Longest wait for the first list of a source of Services where the kernel holds nothing that an empty list would take away, ms. */
  servicesFirstListMs: 10_000,
  /** Pause after a change of the node's addresses before they are read, ms. */
  nodeAddressesMs: 200,
  /** Pause after a change of Services before health check ports are brought in order, ms. */
  healthChecksMs: 50,
  /** Callers that wait for a revision at the same time. */
  servicesWaitersMax: 1_000,
  /** Wait of WaitProgrammed where the caller names none, ms. */
  servicesWaitMs: 10_000,
  /** Longest wait that WaitProgrammed accepts, ms. */
  servicesWaitMaxMs: 60_000,
  /** Trigger times of endpoint changes kept until they are programmed. */
  servicesTriggersMax: 10_000,
  /** Sources of ApplyServices. */
  servicesSourcesMax: 64,
  /** Frontends of all sources of ApplyServices together. */
  servicesFrontendsMax: 200_000,
  /** Endpoints of all sources of ApplyServices together. */
  servicesEndpointsMax: 500_000,
  /** Frontends and groups of one message of ApplyServices. */
  servicesPerMessageMax: 50_000,
  /** Streams of ApplyServices at the same time. */
  servicesStreamsMax: 32,
  /** Explains that are answered at the same time. */
  explainsMax: 2,
  /** Explains that wait for their turn; one more is refused. */
  explainsWaitingMax: 64,
  /** Longest wait of an Explain for its turn, ms. */
  explainWaitMs: 30_000,
  /** Namespaces of pods into which Services are written at the same time. */
  podNamespacesAtOnceMax: 4,
  /** Writing Services into the namespace of one pod, ms: longer than nft is given. */
  podNamespaceMs: 40_000,
  /** Longest wait of an ADD until Services on its networks are in the pod's namespace, ms. */
  podNamespaceAddMs: 5_000,
  /** Time that the namespace of a pod has to go with it before Services are taken out of it, ms. */
  podLeavesMs: 5_000,
  /** Pause between two looks whether somebody changed Services in namespaces of pods, ms. */
  podNamespacesCheckMs: 30_000,
  /** Longest wait of an ADD until its host ports are programmed, ms: longer than that for first lists. */
  hostPortsMs: 15_000,
  /** Host ports of one attachment. */
  hostPortsMax: 256,
  /** Bytes of the host's configuration file. */
  hostConfigBytesMax: 1 << 20,
  /** Sockets in the plugin folder that are looked at. */
  pluginSocketsMax: 64,
  /** Pause between two looks into the plugin folder in case an event was lost, ms. */
  pluginFolderMs: 10_000,
  /** Shortest time between two looks into the plugin folder while it changes, ms. */
  pluginFolderPauseMs: 100,
  /** Answer of a plugin to a greeting, GetInfo for example, ms. */
  pluginGreetingMs: 5_000,
  /** Shortest life of a watch of the API server before it is begun again from where it stands, s; up to twice as long. */
  kubernetesWatchS: 300,
  /** Silence in the middle of a first list, and delay of a watch's end, after which an API server is taken to hang, ms. */
  kubernetesSilenceMs: 60_000,
  /** Objects of one page, from an API server that does not list by watch. */
  kubernetesPageMax: 500,
  /** First pause after a failure of a watch of the API server, ms; it doubles with each. */
  kubernetesRetryMinMs: 100,
  /** Longest pause after a failure of a watch of the API server, ms. */
  kubernetesRetryMaxMs: 5_000,
  /** Longest pause that an API server can ask for, ms. */
  kubernetesRetryAfterMaxMs: 60_000,
  /** Times in a row that an API server may be behind of what is known before everything is listed anew. */
  kubernetesBehindMax: 4,
  /** Pause between two looks for a kind that the API server does not have, ms. */
  kubernetesAbsentMs: 10_000,
  /** Time after which objects of a kind that the API server no longer has are gone, ms. */
  kubernetesGoneMs: 60_000,
  /** Pause before what was heard of the API server is written down, ms. */
  kubernetesJournalMs: 500,
  /** Pause after what was heard could not be written down, ms. */
  kubernetesJournalRetryMs: 60_000,
  /** Age of what was written down from which on everything is listed anew, ms: etcd keeps versions for five minutes. */
  kubernetesResumeMs: 300_000,
  /** Objects that are written down at a time. */
  kubernetesJournalBatchMax: 500,
  /** Bytes of one message to or from a service plugin. */
  pluginMessageBytesMax: 256 << 20,
  /** Bytes of one message to or from a network plugin. */
  pluginAnswerBytesMax: 4 << 20,
  /** Bytes of the schema that a plugin gives for its configuration. */
  pluginSchemaBytesMax: 64 << 10,
  /** Compiling a plugin's schema, or checking one configuration by it, before it counts as unusable, ms. */
  pluginSchemaMs: 1_000,
  /** Longest wait at the start for the answers of plugins whose sockets are there, ms. */
  pluginFirstLookMs: 1_000,
  /** Pause between two looks whether a plugin is well, ms. */
  pluginHealthMs: 5_000,
  /** First pause after a plugin was found down, ms; it doubles with each further look. */
  pluginRetryMinMs: 100,
  /** Longest pause after a plugin was found down, ms. */
  pluginRetryMaxMs: 10_000,
  /** Calls of a plugin in a row that pass their deadlines before it counts as hung. */
  pluginDeadlinesMax: 3,
  /** Status of one network by a third party's plugin, ms. */
  pluginStatusMs: 5_000,
  /** Calls of one plugin under way at the same time; more wait as long as it ends some. */
  pluginCallsMax: 100,
  /** Time without an end after which a plugin with so many calls under way takes no more, ms. */
  pluginStuckMs: 2_000,
  /** Calls that wait for one plugin; one more is refused. */
  pluginWaitingMax: 4_096,
  /** Longest wait of a call for its turn at a plugin, ms. */
  pluginWaitMs: 10_000,
  /** Pause before what changed is published to the API server, ms: what comes together is written together. */
  publishDelayMs: 10,
  /** Writes of pods' network-status under way at the same time. */
  publishRunningMax: 4,
  /** One write to the API server, ms. */
  publishRequestMs: 10_000,
  /** First pause after a write that the API server did not take, ms; it doubles with each further one. */
  publishRetryMinMs: 500,
  /** Longest pause between two tries to publish, ms. */
  publishRetryMaxMs: 60_000,
  /** Time in which the watch shows what was written, ms. */
  publishSettleMs: 10_000,
  /** Times in publishRewritesMs that what somebody else undid is published again. */
  publishRewritesMax: 3,
  /** See publishRewritesMax, ms. */
  publishRewritesMs: 3_600_000,
  /** Pause between two looks whether the host is ready, while the Node does not say so, ms. */
  publishReadyMs: 500,
  /** Events of core/v1 that are remembered, to count what repeats; those silent longest are forgotten. */
  publishEventsMax: 1_024,
  /** Writes of Events at once; after them one in publishEventsRefillMs. */
  publishEventsBurst: 25,
  /** See publishEventsBurst, ms. */
  publishEventsRefillMs: 1_000,
  /** Shortest pause between two writes of the same Event, ms. */
  publishEventsRepeatMs: 5_000,
  /** Age at which an Event is not published any more, and one that was published is not counted on, ms. */
  publishEventAgeMs: 600_000,
  /** Connecting to an API server until it has greeted, ms. */
  apiConnectMs: 5_000,
  /** One request to the API server, or a watch until its answer begins, ms. */
  apiRequestMs: 30_000,
  /** Pause between two HTTP/2 PINGs to the API server while streams are open, ms. */
  apiPingMs: 15_000,
  /** Answer to such a PING before the connection counts as dead, ms. */
  apiPongMs: 10_000,
  /** Bytes of one answer of the API server; a page of a list is one. */
  apiAnswerBytesMax: 32 << 20,
  /** Bytes of one line of a watch: etcd takes objects up to 1.5 MiB. */
  apiLineBytesMax: 8 << 20,
  /** Bytes of a kubeconfig, a token, a certificate. */
  apiCredentialBytesMax: 1 << 20,
} as const;
