internal import Platform
internal import Reports

Interruption.install()
HostSystem.keepFreedMemory()
HostSystem.exit(Invocation.run(HostSystem.arguments.dropFirst()).code)
