internal import Platform

Interruption.install()
HostSystem.exit(Invocation.run(HostSystem.arguments.dropFirst()).code)
