import qcc

print(qcc.version())
