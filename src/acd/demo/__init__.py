"""The demo: three small repositories, a queue and a scripted agent, worked to completion on the real machinery."""
